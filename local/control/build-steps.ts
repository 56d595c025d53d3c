// Runs the steps of a template's build in a machine: RUN, COPY, ENV, WORKDIR, USER, then the start command until it is
// ready. What a step prints goes to the build's log; the step that fails ends the build with its own output.
import { posix } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { components } from 'e2b';
import type { DataMachine } from '../machine/machine.ts';
import { asText } from '../machine/processes.ts';
import { DEFAULT_USER, findUser } from '../machine/users.ts';
import { placeEntries, readTar } from './build-files.ts';

type BuildPlan = Pick<components['schemas']['TemplateBuildStartV2'], 'steps' | 'startCmd' | 'readyCmd'>;
type Step = components['schemas']['TemplateStep'];

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
export async function runBuild(machine: DataMachine, plan: BuildPlan, from: BuildDefaults, io: BuildIo) {
  const { steps = [] } = plan;
  let defaults = from;
  for (const [at, step] of steps.entries()) {
    io.log(`[builder ${at + 1}/${steps.length}] ${step.type} ${(step.args ?? []).join(' ')}`.trimEnd());
    const changed = await runStep(machine, step, defaults, io).catch((caught: unknown) => {
      throw new BuildFailure(String(at + 1), caught instanceof Error ? caught.message : 'the step failed');
    });
    defaults = { ...defaults, ...changed };
  }
  defaults = { ...defaults, startCmd: plan.startCmd || defaults.startCmd };
  if (defaults.startCmd) {
    io.log(`Running start command: ${defaults.startCmd}`);
    await startCommand(machine, defaults, io.log);
  }
  if (plan.readyCmd) await untilReady(machine, plan.readyCmd, defaults, io);
  return defaults;
}

/** In a sandbox of a build that has a start command. */
export async function startCommand(
  machine: DataMachine,
  { user, workdir, startCmd, envs }: BuildDefaults,
  log: (line: string) => void = () => {},
) {
  const cwd = workdir ?? (await findUser(machine.files, user))?.home;
  const start = { config: shellCommand(startCmd ?? '', envs), cwd, user, stdin: false };
  const onText = asText((kind, text) => lines(line => log(`[start] [${kind}]: ${line}`), text));
  await machine.processes.start(start, onText);
}

/** Each line that is printed goes to `log`. */
const lines = (log: (line: string) => void, text: string): void => {
  for (const line of text.split('\n')) if (line !== '') log(line);
};

const shellCommand = (command: string, envs: BuildDefaults['envs']) => ({
  cmd: '/bin/bash',
  args: ['-l', '-c', command],
  envs,
});

/** What is different for the steps after it. @throws Error that says what the step printed */
async function runStep(
  machine: DataMachine,
  { type, args = [], filesHash }: Step,
  defaults: BuildDefaults,
  io: BuildIo,
): Promise<Partial<BuildDefaults>> {
  const [first = '', second = ''] = args;
  switch (type.toUpperCase()) {
    case 'RUN':
      await runCommand(machine, first, { ...defaults, user: second || defaults.user }, io.log);
      return {};
    case 'ENV':
    case 'ARG': {
      const pairs = args.flatMap((name, at) => (at % 2 === 0 && at + 1 < args.length ? [[name, args[at + 1]]] : []));
      return { envs: { ...defaults.envs, ...Object.fromEntries(pairs) } };
    }
    case 'WORKDIR': {
      const { home, uid } = await userOf(machine, defaults.user);
      const workdir = posix.resolve(defaults.workdir ?? home, first);
      await machine.files.makeDir(workdir, uid).catch(() => {});
      return { workdir };
    }
    case 'USER':
      return { user: (await userOf(machine, first)).name };
    case 'COPY':
    case 'ADD':
      await copyFiles(machine, args, defaults, filesHash === undefined ? undefined : io.archive(filesHash));
      return {};
    default:
      throw new Error(`local mode cannot run a step of type ${type}: it knows RUN, COPY, ENV, WORKDIR and USER`);
  }
}

/** The build is done when the ready command succeeds. */
async function untilReady(machine: DataMachine, command: string, defaults: BuildDefaults, { log }: BuildIo) {
  log(`Waiting for template to be ready: ${command}`);
  for (let leftMs = READY_TIMEOUT_MS; leftMs > 0; leftMs -= READY_EVERY_MS) {
    const failure = await runCommand(machine, command, defaults, () => {}).catch((caught: unknown) => caught);
    if (failure === undefined) return log('Template is ready');
    await sleep(READY_EVERY_MS);
  }
  throw new BuildFailure('finalize', `the ready command did not succeed: ${command}`);
}

async function userOf({ files }: DataMachine, name: string) {
  const user = await findUser(files, name);
  if (user === undefined) throw new Error(`user '${name}' does not exist in the sandbox`);
  return user;
}

async function runCommand(
  { files, processes }: DataMachine,
  command: string,
  { user: userName, workdir, envs }: BuildDefaults,
  log: BuildIo['log'],
): Promise<void> {
  const fail = (why: string): never => {
    throw new Error(`failed to run command '${command}': ${why}`);
  };
  const user = await findUser(files, userName);
  if (user === undefined) return fail(`command failed: unauthenticated: invalid username: '${userName}'`);
  let printed = '';
  const onEvent = asText((kind, text) => {
    printed = (printed + text).slice(-MAX_SHOWN_CHARS);
    lines(line => log(`[${kind}] ${line}`), text);
  });
  const start = { config: shellCommand(command, envs), cwd: workdir ?? user.home, user: userName, stdin: false };
  const exit = await (await processes.start(start, onEvent, AbortSignal.timeout(STEP_TIMEOUT_MS))).ended();
  if (exit.kind === 'exited' && exit.code === 0) return;
  const how = exit.kind === 'exited' ? `exit status ${exit.code}` : `signal: ${exit.signal}`;
  fail(`${how}${printed === '' ? '' : `\n${printed.trimEnd()}`}`);
}

/** Puts what `src` names in the archive where `dest` says. */
async function copyFiles(
  machine: DataMachine,
  [src = '', dest = '', owner = '', mode = '']: readonly string[],
  { user, workdir }: BuildDefaults,
  archive: Buffer | undefined,
): Promise<void> {
  if (archive === undefined) throw new Error(`the files of COPY ${src} were not uploaded`);
  const { home, uid } = await userOf(machine, owner.split(':', 1)[0] || user);
  const target = posix.resolve(workdir ?? home, dest.replace(/^~(?=\/|$)/, home));
  const intoFolder = dest.endsWith('/') || dest === '.' || /[*?[]/.test(src);
  const placed = placeEntries(await readTar(archive), src, target, intoFolder);
  if (placed.length === 0) throw new Error(`COPY ${src}: no such file in the build's context`);
  const { files } = machine;
  for (const { entry, path } of placed) {
    if (entry.type === 'symlink') {
      await files.makeDir(posix.dirname(path), uid).catch(() => {});
      await files.remove(path);
      await files.symlink(entry.link, path);
      continue;
    }
    if (entry.type === 'directory') await files.makeDir(path, uid).catch(() => {});
    else await files.write(path, entry.content, uid);
    await files.chmod(path, mode === '' ? entry.mode : Number.parseInt(mode, 8));
  }
}
