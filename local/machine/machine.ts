// What the data plane's services ask of a machine, whatever its shell: a file tree, processes, ports, code contexts.
// Types only, and the one error its file tree throws. Knows no HTTP.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Machine, MachineOptions, SandboxDefaults, VolumeContent } from '../sandbox.ts';
import type { LocalRequest, LocalResponse, Network } from './network.ts';
import type { ProcessTable } from './processes.ts';
import type { RunProgram } from './program.ts';

export type FileErrorCode =
  | 'not_found'
  | 'already_exists'
  | 'invalid_argument'
  | 'permission_denied'
  | 'resource_exhausted';

/** What a file tree refuses. The message names the sandbox's path, never a path of the host. */
export class FileError extends Error {
  override readonly name = 'FileError';
  readonly code: FileErrorCode;
  constructor(code: FileErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export type FileStat = {
  readonly type: 'file' | 'directory' | 'symlink';
  readonly sizeBytes: number;
  /** Permission bits only. */
  readonly mode: number;
  readonly modifiedMs: number;
  readonly uid: number;
};

export type FileEvent = { readonly kind: 'create' | 'write' | 'remove' | 'rename' | 'chmod'; readonly path: string };

/** A sandbox's files. Paths are absolute, normalised paths of the sandbox. Everything throws FileError. */
export interface FileTree {
  /** Follows a symbolic link. */
  stat(path: string): Promise<FileStat>;
  lstat(path: string): Promise<FileStat>;
  readlink(path: string): Promise<string>;
  /** Where the path leads when every link in it is followed. */
  realpath(path: string): Promise<string>;
  list(path: string): Promise<string[]>;
  read(path: string): Promise<Uint8Array>;
  /** For large files; the size is that of the moment of opening. */
  open(path: string): Promise<{ sizeBytes: number; body: AsyncIterable<Uint8Array> }>;
  /** Replaces the content; makes missing folders. `uid`: whose it and they become. */
  write(path: string, body: Uint8Array | AsyncIterable<Uint8Array>, uid?: number): Promise<void>;
  /** With parents. `already_exists` when it is a directory. */
  makeDir(path: string, uid?: number): Promise<void>;
  /** As rename(2) does: onto a file or an empty folder. */
  move(source: string, destination: string): Promise<void>;
  /** Whole trees; nothing when absent. */
  remove(path: string): Promise<void>;
  symlink(target: string, path: string): Promise<void>;
  chmod(path: string, mode: number): Promise<void>;
  chown(path: string, uid: number): Promise<void>;
  touch(path: string, modifiedMs: number): Promise<void>;
  /** `X-Metadata-*` of an upload: what extended attributes are on a real sandbox. Undefined: none. */
  metadata(path: string): Readonly<Record<string, string>> | undefined;
  setMetadata(path: string, metadata: Readonly<Record<string, string>>): void;
  /** Calls back for what happens under the directory, until the returned function is called. */
  watch(path: string, recursive: boolean, onEvent: (event: FileEvent) => void): Promise<() => void>;
}

/** A volume's content, as its own API reaches it. */
export type VolumeFiles = VolumeContent & { readonly files: FileTree };

/** Answers a request to a port inside the sandbox. */
export type PortHandler = (req: IncomingMessage, res: ServerResponse, path: string) => void;

/** Made by the interpreter, which alone knows what they are; they end with the machine's processes. */
export type CodeContexts = { close(): Promise<void> };

/** A machine of the data plane. */
export interface DataMachine extends Machine {
  /** Undefined: the user `user` in their home. */
  readonly defaults?: SandboxDefaults | undefined;
  readonly envVars: Readonly<Record<string, string>>;
  readonly files: FileTree;
  readonly processes: ProcessTable;
  readonly contexts: CodeContexts;
  /** Where programs without sockets reach the machine's own ports. Undefined: they have sockets. */
  readonly network?: Network | undefined;
  /** Undefined when nothing in this sandbox listens on the port. */
  port(port: number): Promise<PortHandler | undefined>;
  /** Aborted by freeze and close: open answers of this sandbox end then. A thawed machine has a new one. */
  readonly streams: AbortSignal;
}

/** What machines are made with but do not know: handed in by start.ts. */
export type MachineParts = {
  contexts(machine: DataMachine): CodeContexts;
  programs(machine: DataMachine): RunProgram;
  /** Asks a port of another sandbox. Undefined: the address is none, or the sandbox may not leave itself. */
  neighbour(sandboxId: string, url: URL, request: LocalRequest): Promise<LocalResponse> | undefined;
};

export type MakeMachine = (options: MachineOptions, parts: MachineParts) => Promise<Machine>;

export function isDataMachine(machine: Machine): machine is DataMachine {
  return 'files' in machine && 'processes' in machine;
}
