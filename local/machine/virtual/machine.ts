// A machine without a machine: files in memory, shells in process, interpreters in worker threads. Nothing of the host
// is touched. Knows no HTTP.
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Machine, MachineOptions, SandboxDefaults } from '../../sandbox.ts';
import type { CodeContexts, DataMachine, MachineParts, PortHandler } from '../machine.ts';
import { ProcessTable } from '../processes.ts';
import { Disk } from './disk.ts';
import { VirtualFiles } from './files.ts';
import { mountVolumes, VirtualVolume } from './mounts.ts';
import { Ports } from './ports.ts';
import { virtualShell } from './shell.ts';
import { asUser } from './user-disk.ts';

/** As with a real one, others may ask for the same change meanwhile. */
const CHANGE_MS = 50;

export class VirtualMachine implements DataMachine {
  readonly defaults: SandboxDefaults | undefined;
  readonly envVars: Readonly<Record<string, string>>;
  readonly files: VirtualFiles;
  readonly processes: ProcessTable;
  readonly contexts: CodeContexts;
  readonly network: Ports;
  readonly #disk: Disk;
  readonly #parts: MachineParts;
  #streams = streamsOfMany();

  private constructor(root: Disk, options: MachineOptions, parts: MachineParts) {
    const volumes = new Map(
      options.volumeMounts.flatMap(({ path, content }) =>
        content instanceof VirtualVolume ? [[path, content.disk]] : [],
      ),
    );
    const disk = mountVolumes(root, volumes);
    this.#disk = root;
    this.#parts = parts;
    this.envVars = {
      ...options.envVars,
      E2B_SANDBOX: 'true',
      E2B_SANDBOX_ID: options.sandboxId,
      E2B_TEMPLATE_ID: options.templateId,
    };
    this.defaults = options.defaults;
    this.network = new Ports((url, request) => parts.neighbour(options.sandboxId, url, request));
    this.files = new VirtualFiles(disk);
    const shell = virtualShell({
      root: disk,
      volumes: [...volumes.keys()],
      diskFor: (user, refused) => mountVolumes(asUser(root, user, refused), volumes),
      env: this.envVars,
      runProgram: parts.programs(this),
      network: this.network,
    });
    this.processes = new ProcessTable(shell);
    this.contexts = parts.contexts(this);
  }

  static async create(options: MachineOptions, parts: MachineParts): Promise<VirtualMachine> {
    const disk = new Disk();
    for (const { path } of options.volumeMounts) await disk.mkdir(path, { recursive: true });
    return new VirtualMachine(disk, options, parts);
  }

  get streams(): AbortSignal {
    return this.#streams.signal;
  }

  async port(port: number): Promise<PortHandler | undefined> {
    return this.network.handler(port);
  }

  /** With `keepMemory` what runs simply goes on: no time is kept from a virtual process. */
  async freeze({ keepMemory }: { keepMemory: boolean }): Promise<void> {
    this.#streams.abort();
    await sleep(CHANGE_MS);
    if (keepMemory) return;
    await this.#end();
    this.#disk.rebooted();
  }

  async thaw(): Promise<void> {
    await sleep(CHANGE_MS);
    this.#streams = streamsOfMany();
  }

  async copy(options: MachineOptions): Promise<Machine> {
    return new VirtualMachine(await this.#disk.clone(), options, this.#parts);
  }

  async close(): Promise<void> {
    this.#streams.abort();
    await this.#end();
  }

  async #end(): Promise<void> {
    await Promise.all([this.processes.killAll(), this.contexts.close()]);
  }
}

/** Each open request of the sandbox listens to its signal: more than the ten after which Node suspects a leak. */
function streamsOfMany(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}
