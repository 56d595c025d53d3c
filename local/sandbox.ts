// A sandbox of local mode and the machine inside it: what the registry and both planes agree on.
import { randomBytes } from 'node:crypto';
import type { components } from 'e2b';

/** What a volume holds, made by those who make machines; they alone know what it is. */
export type VolumeContent = { readonly disk: object };

export type VolumeMount = {
  readonly name: string;
  readonly path: string;
  /** Undefined: each machine has a folder of its own there. */
  readonly content?: VolumeContent | undefined;
};

/** Of the template: who runs commands and where, unless they say. */
export type SandboxDefaults = { readonly user: string; readonly workdir: string | undefined };

export type MachineOptions = {
  readonly sandboxId: string;
  readonly templateId: string;
  readonly defaults?: SandboxDefaults | undefined;
  readonly envVars: Readonly<Record<string, string>>;
  readonly volumeMounts: readonly VolumeMount[];
};

/** What the metrics show of every machine: none is measured. */
export const SHOWN_USAGE = { cpuUsedPct: 0.5, memUsedBytes: 64 * 1024 ** 2, diskUsedBytes: 1024 ** 3 };

/**
 * What runs inside a sandbox: files, processes, code contexts. Made by the data plane, owned by the registry, which
 * calls freeze, thaw, copy and close one at a time. The data plane narrows `sandbox.machine` with `instanceof`.
 */
export interface Machine {
  /**
   * Brackets a pause with `thaw`. Files stay; processes and contexts end unless `keepMemory`. Open streams end. Called
   * a second time, with `keepMemory: false`, when a paused sandbox is to boot anew.
   */
  freeze(options: { keepMemory: boolean }): Promise<void>;
  thaw(): Promise<void>;
  /** A machine of its own with the same files: for a fork, a snapshot, a sandbox made from a snapshot. */
  copy(options: MachineOptions): Promise<Machine>;
  /** Ends every process and open stream (the streams, never their sockets); the machine is not used again. */
  close(): Promise<void>;
}

/** Holds and runs nothing: enough for the control plane alone. */
export const emptyMachine: Machine = {
  freeze: async () => {},
  thaw: async () => {},
  copy: async () => emptyMachine,
  close: async () => {},
};

export type MachineFactory = (options: MachineOptions) => Promise<Machine>;

type Described = components['schemas']['SandboxNetworkConfig'];
/** Without the proxy's password. */
export type NetworkConfig = { readonly [Name in keyof Described]: Described[Name] | undefined };

/** What a sandbox is made of; a fork is made of the same. */
export type SandboxSpec = {
  readonly teamId: string;
  readonly templateId: string;
  readonly buildId: string;
  readonly alias: string | undefined;
  readonly cpuCount: number;
  readonly memoryMB: number;
  readonly diskSizeMB: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly envVars: Readonly<Record<string, string>>;
  readonly volumeMounts: readonly VolumeMount[];
  /** The data plane asks for `envdAccessToken`. */
  readonly secure: boolean;
  readonly onTimeout: 'kill' | 'pause';
  readonly keepMemoryOnTimeout: boolean;
  /** A request to the paused sandbox's data plane wakes it. */
  readonly autoResume: boolean;
  readonly allowInternetAccess: boolean | undefined;
  readonly network: NetworkConfig | undefined;
  readonly defaults?: SandboxDefaults | undefined;
};

export type LogEntry = Readonly<components['schemas']['SandboxLogEntry']>;

/** One live sandbox. The registry alone changes it, in place: whoever holds it sees its present state. */
export interface Sandbox {
  readonly sandboxId: string;
  /** Of this start or resume. */
  readonly executionId: string;
  /** What its ports are reached below: `<port>-<id>.<domain>`. */
  readonly domain: string | undefined;
  readonly spec: SandboxSpec;
  /** Undefined when the sandbox was made with `secure: false` (v1 only). Never logged. */
  readonly envdAccessToken: string | undefined;
  /** Set when the network config has `allowPublicTraffic: false`. Never logged. */
  readonly trafficAccessToken: string | undefined;
  readonly network: NetworkConfig | undefined;
  readonly allowInternetAccess: boolean | undefined;
  readonly machine: Machine;
  /** `gone` once killed, for holders of a stale reference; such a sandbox is in no list. */
  readonly state: 'running' | 'paused' | 'gone';
  /** The pause dropped processes: traffic does not wake it. */
  readonly memoryDropped: boolean;
  /** A resume counts as a new start. The longest life counts from here. */
  readonly startedAtMs: number;
  /** When it ends; for a paused sandbox, when it was paused. */
  readonly endAtMs: number;
  readonly logs: readonly LogEntry[];
}

export type LifecycleEvent = {
  readonly kind: 'created' | 'updated' | 'paused' | 'resumed' | 'snapshotted' | 'killed';
  readonly sandbox: Sandbox;
  readonly data: object | undefined;
};

type CloudErrorCode = 'sandbox_gone' | 'already_paused' | 'already_running' | 'too_many_running' | 'closed';

/** What the registry refuses. Each plane has its own words for it. */
export class CloudError extends Error {
  override readonly name = 'CloudError';
  readonly code: CloudErrorCode;
  /** Empty when the sandbox was still to be made. */
  readonly sandboxId: string;
  constructor(code: CloudErrorCode, sandboxId = '') {
    super(code);
    this.code = code;
    this.sandboxId = sandboxId;
  }
}

/** `i` and 20 of a-z0-9, as E2B makes them. */
export function newSandboxId(): string {
  return `i${newId(20)}`;
}

/** `length` of a-z0-9. The modulus is slightly biased, which ids, unlike secrets, may be. */
export function newId(length: number): string {
  return Array.from(randomBytes(length), byte => 'abcdefghijklmnopqrstuvwxyz0123456789'[byte % 36]).join('');
}

export function newToken(): string {
  return randomBytes(32).toString('hex');
}
