// A machine for tests and benches that runs processes of the host in its own directory, WITHOUT isolation. It has no
// HTTP except the proxy to a sandbox's ports.
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { Failure } from '../../../local/machine/failure.ts';
import type {
  CodeContexts,
  DataMachine,
  MachineParts,
  MakeMachine,
  PortHandler,
} from '../../../local/machine/machine.ts';
import { ProcessTable } from '../../../local/machine/processes.ts';
import type { Machine, MachineOptions } from '../../../local/sandbox.ts';
import { RealFiles } from './files.ts';
import { listenerOf, MARK, signalMarked } from './host.ts';
import { proxyTo } from './proxy.ts';
import { realShell } from './shell.ts';

/** Login shells read /etc/profile, which may reset PATH. */
const PROFILE = 'export PATH="$E2B_LOCAL_PATH"\n';

/** Open machines. Their processes are separate groups, so they would outlive this process. */
const open = new Set<RealMachine>();
process.once('exit', () => {
  for (const machine of open) machine.abandon();
});

export const processMachine: MakeMachine = (options, parts) => RealMachine.create(options, parts);

class RealMachine implements DataMachine {
  readonly envVars: Readonly<Record<string, string>>;
  readonly files: RealFiles;
  readonly processes: ProcessTable;
  readonly contexts: CodeContexts;
  readonly #root: string;
  readonly #parts: MachineParts;
  readonly #mark = randomUUID();
  #streams = new AbortController();
  #closed = false;

  private constructor(root: string, options: MachineOptions, parts: MachineParts) {
    this.#root = root;
    this.#parts = parts;
    this.envVars = options.envVars;
    this.files = new RealFiles(root);
    const shell = realShell({ root, env: environment(root, this.#mark, options) });
    this.processes = new ProcessTable(async (process, start) => {
      // The machine was closed during the start, so nothing else would end the process.
      if (this.#closed) throw new Failure('unavailable', 'the sandbox is gone');
      return shell(process, start);
    });
    this.contexts = parts.contexts(this);
    open.add(this);
  }

  static async create(options: MachineOptions, parts: MachineParts): Promise<RealMachine> {
    const root = await newRoot();
    for (const path of ['home/user', 'root', 'tmp', ...options.volumeMounts.map(mount => mount.path)]) {
      await mkdir(join(root, path), { recursive: true });
    }
    await writeFile(join(root, 'home/user/.profile'), PROFILE);
    return new RealMachine(root, options, parts);
  }

  get streams(): AbortSignal {
    return this.#streams.signal;
  }

  async port(port: number): Promise<PortHandler | undefined> {
    const host = await listenerOf(this.#mark, port);
    return host === undefined ? undefined : proxyTo(host, port);
  }

  async freeze({ keepMemory }: { keepMemory: boolean }): Promise<void> {
    this.#streams.abort();
    if (keepMemory) {
      await signalMarked(this.#mark, 'SIGSTOP');
    } else {
      await this.#end();
    }
  }

  async thaw(): Promise<void> {
    this.#streams = new AbortController();
    await signalMarked(this.#mark, 'SIGCONT');
  }

  async copy(options: MachineOptions): Promise<Machine> {
    const root = await newRoot();
    await cp(this.#root, root, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    const copy = new RealMachine(root, options, this.#parts);
    copy.files.copyMetadata(this.files);
    return copy;
  }

  async close(): Promise<void> {
    open.delete(this);
    this.#closed = true;
    this.#streams.abort();
    await this.#end();
    await rm(this.#root, { recursive: true, force: true, maxRetries: 5 });
  }

  /** What can still be cleaned up while this process exits. */
  abandon(): void {
    for (const { control } of this.processes.list()) control.signal('SIGKILL');
    rmSync(this.#root, { recursive: true, force: true });
  }

  async #end(): Promise<void> {
    await Promise.all([this.processes.killAll(), this.contexts.close()]);
    // Processes that left their process group, and those that they start meanwhile. A process that has just called execve
    // has no environment for a moment, so the search ends only when it has found none twice.
    for (let round = 0, foundNone = 0; round < 10 && foundNone < 2; round += 1) {
      foundNone = (await signalMarked(this.#mark, 'SIGKILL')) > 0 ? 0 : foundNone + 1;
      await new Promise(resolve => setTimeout(resolve, 10));
    }
  }
}

async function newRoot(): Promise<string> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'e2b-local-')));
  await chmod(root, 0o700);
  return root;
}

function environment(root: string, mark: string, options: MachineOptions): Record<string, string> {
  const path = [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin'].join(delimiter);
  return {
    PATH: path,
    E2B_LOCAL_PATH: path,
    HOME: join(root, 'home/user'),
    USER: 'user',
    LOGNAME: 'user',
    SHELL: '/bin/bash',
    LANG: 'C.UTF-8',
    TMPDIR: join(root, 'tmp'),
    E2B_SANDBOX: 'true',
    E2B_SANDBOX_ID: options.sandboxId,
    [MARK]: mark,
    ...options.envVars,
  };
}
