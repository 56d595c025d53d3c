// Runs the steps of a template's build in a machine: RUN, COPY, ENV, WORKDIR, USER, then the start command until it is
// ready. What a step prints goes to the build's log; the step that fails ends the build with its own output.
import { posix } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { components } from 'e2b';
import type { DataMachine } from '../machine/machine.ts';
import { asText } from '../machine/processes.ts';
import { DEFAULT_USER, findUser } from '../machine/users.ts';
import { placeEntries, readTar } from './tar.ts';

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
  const builder = new Builder(machine, from, io);
  const { steps = [] } = plan;
  for (const [at, step] of steps.entries()) {
    io.log(`[builder ${at + 1}/${steps.length}] ${step.type} ${(step.args ?? []).join(' ')}`.trimEnd());
    await builder.step(step).catch((caught: unknown) => {
      throw new BuildFailure(String(at + 1), caught instanceof Error ? caught.message : 'the step failed');
    });
  }
  await builder.start(plan);
  return builder.defaults;
}

/** In a sandbox of a build that has a start command. */
export async function startCommand(
  machine: DataMachine,
  { user, workdir, startCmd, envs }: BuildDefaults,
  log: (line: string) => void = () => {},
) {
  const cwd = workdir ?? (await findUser(machine.files, user))?.home;
  const start = { config: shellCommand(startCmd ?? '', envs), cwd, user, stdin: false };
  await machine.processes.start(
    start,
    asText((kind, text) => lines(line => log(`[start] [${kind}]: ${line}`), text)),
  );
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

class Builder {
  defaults: BuildDefaults;
  readonly #machine: DataMachine;
  readonly #io: BuildIo;

  constructor(machine: DataMachine, from: BuildDefaults, io: BuildIo) {
    this.#machine = machine;
    this.defaults = from;
    this.#io = io;
  }

  async step({ type, args = [], filesHash }: Step): Promise<void> {
    const { user, envs } = this.defaults;
    const [first = '', second = ''] = args;
    switch (type.toUpperCase()) {
      case 'RUN':
        return this.#run(first, second || user, this.#io.log);
      case 'ENV':
      case 'ARG': {
        const pairs = args.flatMap((name, at) => (at % 2 === 0 && at + 1 < args.length ? [[name, args[at + 1]]] : []));
        this.defaults = { ...this.defaults, envs: { ...envs, ...Object.fromEntries(pairs) } };
        return;
      }
      case 'WORKDIR': {
        const workdir = await this.#resolve(first);
        await this.#machine.files.makeDir(workdir, (await this.#user(user)).uid).catch(() => {});
        this.defaults = { ...this.defaults, workdir };
        return;
      }
      case 'USER':
        await this.#user(first);
        this.defaults = { ...this.defaults, user: first };
        return;
      case 'COPY':
      case 'ADD':
        return this.#copy(args, filesHash === undefined ? undefined : this.#io.archive(filesHash));
      default:
        throw new Error(`local mode cannot run a step of type ${type}: it knows RUN, COPY, ENV, WORKDIR and USER`);
    }
  }

  /** The start command goes on; the build is done when the ready command succeeds. */
  async start({ startCmd, readyCmd }: BuildPlan): Promise<void> {
    this.defaults = { ...this.defaults, startCmd: startCmd || this.defaults.startCmd };
    if (this.defaults.startCmd) {
      this.#io.log(`Running start command: ${this.defaults.startCmd}`);
      await startCommand(this.#machine, this.defaults, this.#io.log);
    }
    if (!readyCmd) return;
    this.#io.log(`Waiting for template to be ready: ${readyCmd}`);
    for (let leftMs = READY_TIMEOUT_MS; leftMs > 0; leftMs -= READY_EVERY_MS) {
      const ready = await this.#run(readyCmd, this.defaults.user, () => {}).then(
        () => true,
        () => false,
      );
      if (ready) return this.#io.log('Template is ready');
      await sleep(READY_EVERY_MS);
    }
    throw new BuildFailure('finalize', `the ready command did not succeed: ${readyCmd}`);
  }

  async #user(name: string) {
    const user = await findUser(this.#machine.files, name);
    if (user === undefined) throw new Error(`user '${name}' does not exist in the sandbox`);
    return user;
  }

  async #resolve(path: string): Promise<string> {
    const { user, workdir } = this.defaults;
    return posix.resolve(workdir ?? (await this.#user(user)).home, path);
  }

  async #run(command: string, userName: string, log: BuildIo['log']): Promise<void> {
    const { workdir, envs } = this.defaults;
    const { files, processes } = this.#machine;
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
  async #copy([src = '', dest = '', owner = '', mode = '']: readonly string[], archive?: Buffer): Promise<void> {
    if (archive === undefined) throw new Error(`the files of COPY ${src} were not uploaded`);
    const { home, uid } = await this.#user(owner.split(':', 1)[0] || this.defaults.user);
    const target = posix.resolve(this.defaults.workdir ?? home, dest.replace(/^~(?=\/|$)/, home));
    const intoFolder = dest.endsWith('/') || dest === '.' || /[*?[]/.test(src);
    const placed = placeEntries(await readTar(archive), src, target, intoFolder);
    if (placed.length === 0) throw new Error(`COPY ${src}: no such file in the build's context`);
    const { files } = this.#machine;
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
}
