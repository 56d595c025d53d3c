// Runs the steps of a template's build in a machine: RUN, COPY, ENV, WORKDIR, USER, then the start command until it is
// ready. What a step prints goes to the build's log; the step that fails ends the build with its own output.
import { posix } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DataMachine } from '../machine/machine.ts';
import { DEFAULT_USER, findUser } from '../machine/users.ts';
import { placeEntries, readTar } from './tar.ts';

type Step = {
  readonly type: string;
  readonly args: readonly string[];
  readonly filesHash?: string | undefined;
};

export type BuildPlan = {
  readonly steps: readonly Step[];
  readonly startCmd: string | undefined;
  readonly readyCmd: string | undefined;
};

/** What a sandbox of the build starts from beside the files. */
export type BuildDefaults = {
  readonly user: string;
  readonly workdir: string | undefined;
  readonly envs: Readonly<Record<string, string>>;
  readonly startCmd: string | undefined;
};

export const NO_DEFAULTS: BuildDefaults = { user: DEFAULT_USER, workdir: undefined, envs: {}, startCmd: undefined };

export type BuildIo = {
  log(message: string, level?: 'info' | 'warn' | 'error'): void;
  archive(hash: string): Buffer | undefined;
};

/** Why a build ended. `step`: the number of the step from 1, or `finalize`. */
export class BuildFailure extends Error {
  readonly step: string;
  constructor(step: string, message: string) {
    super(message);
    this.step = step;
  }
}

const STEP_TIMEOUT_MS = 10 * 60_000;
const READY_TIMEOUT_MS = 60_000;
const READY_EVERY_MS = 500;
const MAX_SHOWN_CHARS = 2_000;

/** @throws BuildFailure */
export async function runBuild(
  machine: DataMachine,
  plan: BuildPlan,
  from: BuildDefaults,
  io: BuildIo,
): Promise<BuildDefaults> {
  let defaults = from;
  for (const [at, step] of plan.steps.entries()) {
    io.log(`[builder ${at + 1}/${plan.steps.length}] ${step.type} ${step.args.join(' ')}`.trimEnd());
    try {
      defaults = await runStep(machine, step, defaults, io);
    } catch (caught) {
      throw new BuildFailure(String(at + 1), caught instanceof Error ? caught.message : 'the step failed');
    }
  }
  const startCmd = plan.startCmd || defaults.startCmd;
  await start(machine, { ...defaults, startCmd }, plan.readyCmd, io);
  return { ...defaults, startCmd };
}

async function runStep(machine: DataMachine, step: Step, defaults: BuildDefaults, io: BuildIo): Promise<BuildDefaults> {
  const [first = '', second = ''] = step.args;
  switch (step.type.toUpperCase()) {
    case 'RUN':
      await run(machine, first, second || defaults.user, defaults, io);
      return defaults;
    case 'ENV':
    case 'ARG': {
      const envs = { ...defaults.envs };
      for (let at = 0; at + 1 < step.args.length; at += 2) envs[step.args[at] ?? ''] = step.args[at + 1] ?? '';
      return { ...defaults, envs };
    }
    case 'WORKDIR': {
      const { home, uid } = await userOf(machine, defaults.user);
      const workdir = posix.resolve(defaults.workdir ?? home, first);
      await machine.files.makeDir(workdir, uid).catch(() => {});
      return { ...defaults, workdir };
    }
    case 'USER':
      await userOf(machine, first);
      return { ...defaults, user: first };
    case 'COPY':
    case 'ADD':
      await copy(machine, step, defaults, io);
      return defaults;
    default:
      throw new Error(`local mode cannot run a step of type ${step.type}: it knows RUN, COPY, ENV, WORKDIR and USER`);
  }
}

async function userOf(machine: DataMachine, name: string) {
  const user = await findUser(machine.files, name);
  if (user === undefined) throw new Error(`user '${name}' does not exist in the sandbox`);
  return user;
}

async function run(
  machine: DataMachine,
  command: string,
  userName: string,
  { workdir, envs }: BuildDefaults,
  io: BuildIo,
): Promise<void> {
  const user = await findUser(machine.files, userName);
  if (user === undefined) {
    const why = `command failed: unauthenticated: invalid username: '${userName}'`;
    throw new Error(`failed to run command '${command}': ${why}`);
  }
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  let printed = '';
  const process = await machine.processes.start(
    {
      config: { cmd: '/bin/bash', args: ['-l', '-c', command], envs },
      cwd: workdir ?? user.home,
      user: userName,
      stdin: false,
    },
    event => {
      if (event.type === 'end' || event.kind === 'pty') return;
      const text = decoders[event.kind].decode(event.bytes, { stream: true });
      printed = (printed + text).slice(-MAX_SHOWN_CHARS);
      for (const line of text.split('\n')) if (line !== '') io.log(`[${event.kind}] ${line}`);
    },
  );
  const late = setTimeout(
    () => machine.processes.find({ pid: process.pid })?.control.signal('SIGKILL'),
    STEP_TIMEOUT_MS,
  );
  const exit = await process.ended();
  clearTimeout(late);
  if (exit.kind === 'exited' && exit.code === 0) return;
  const how = exit.kind === 'exited' ? `exit status ${exit.code}` : `signal: ${exit.signal}`;
  throw new Error(`failed to run command '${command}': ${how}${printed === '' ? '' : `\n${printed.trimEnd()}`}`);
}

/** Puts what `src` names in the archive where `dest` says. */
async function copy(machine: DataMachine, step: Step, defaults: BuildDefaults, io: BuildIo): Promise<void> {
  const [src = '', dest = '', owner = '', mode = ''] = step.args;
  const archive = step.filesHash === undefined ? undefined : io.archive(step.filesHash);
  if (archive === undefined) throw new Error(`the files of COPY ${src} were not uploaded`);
  const { home, uid } = await userOf(machine, owner.split(':', 1)[0] || defaults.user);
  const target = posix.resolve(defaults.workdir ?? home, dest.replace(/^~(?=\/|$)/, home));
  const intoFolder = dest.endsWith('/') || dest === '.' || /[*?[]/.test(src);
  const placed = placeEntries(readTar(archive), src, target, intoFolder);
  if (placed.length === 0) throw new Error(`COPY ${src}: no such file in the build's context`);
  const { files } = machine;
  for (const { entry, path } of placed) {
    if (entry.type === 'directory') {
      await files.makeDir(path, uid).catch(() => {});
    } else if (entry.type === 'symlink') {
      await files.makeDir(posix.dirname(path), uid).catch(() => {});
      await files.remove(path);
      await files.symlink(entry.link, path);
    } else {
      await files.write(path, entry.content, uid);
    }
    if (entry.type !== 'symlink') await files.chmod(path, mode === '' ? entry.mode : Number.parseInt(mode, 8));
  }
}

/** The start command goes on; the build is done when the ready command succeeds. */
async function start(
  machine: DataMachine,
  defaults: BuildDefaults,
  readyCmd: string | undefined,
  io: BuildIo,
): Promise<void> {
  if (defaults.startCmd) await startCommand(machine, defaults);
  if (!readyCmd) return;
  const quiet: BuildIo = { ...io, log: () => {} };
  for (let leftMs = READY_TIMEOUT_MS; leftMs > 0; leftMs -= READY_EVERY_MS) {
    const ready = await run(machine, readyCmd, defaults.user, defaults, quiet).then(
      () => true,
      () => false,
    );
    if (ready) return io.log('Template is ready');
    await sleep(READY_EVERY_MS);
  }
  throw new BuildFailure('finalize', `the ready command did not succeed: ${readyCmd}`);
}

/** In a sandbox of a build that has one. */
export async function startCommand(machine: DataMachine, defaults: BuildDefaults): Promise<void> {
  const user = await findUser(machine.files, defaults.user);
  const config = { cmd: '/bin/bash', args: ['-l', '-c', defaults.startCmd ?? ''], envs: defaults.envs };
  const cwd = defaults.workdir ?? user?.home;
  await machine.processes.start({ config, cwd, user: defaults.user, stdin: false }, () => {});
}
