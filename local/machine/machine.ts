// What the data plane's services ask of a machine, whatever its shell: a file tree, processes, ports, code contexts.
// Types only. Knows no HTTP.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Machine, MachineOptions, SandboxDefaults, VolumeContent } from '../sandbox.ts';
import type { OutputKind, ProcessTable } from './processes.ts';

export type FileStat = {
  readonly type: 'file' | 'directory' | 'symlink';
  readonly sizeBytes: number;
  /** Permission bits only. */
  readonly mode: number;
  readonly modifiedMs: number;
  readonly uid: number;
};

export type FileEvent = { readonly kind: 'create' | 'write' | 'remove' | 'rename' | 'chmod'; readonly path: string };

/** A sandbox's files. Paths are absolute, normalised paths of the sandbox. Everything throws a Failure. */
export interface FileTree {
  /** Follows a symbolic link. */
  stat(path: string): Promise<FileStat>;
  lstat(path: string): Promise<FileStat>;
  readlink(path: string): Promise<string>;
  /** Where the path leads when every link in it is followed. */
  realpath(path: string): Promise<string>;
  list(path: string): Promise<string[]>;
  read(path: string): Promise<Uint8Array>;
  /** For large files, of which it gives parts; the size is that of the moment of opening. */
  open(path: string): Promise<{ sizeBytes: number; part(start: number, end: number): AsyncIterable<Uint8Array> }>;
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

/** HTTP between a sandbox's own programs and its ports, without sockets. */
export type LocalRequest = {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
};
export type LocalResponse = {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
};
export type Serve = (request: LocalRequest) => Promise<LocalResponse>;

/** The network of a machine whose programs have no sockets. */
export interface Network {
  /** A program starts; until `done` or a moment has passed, requests wait for the port it may be about to open. */
  starting(): () => void;
  /** Throws when it is not the sandbox's own address, or nothing listens there. */
  request(url: string, request: Omit<LocalRequest, 'path'>): Promise<LocalResponse>;
  /** The returned function closes it. Throws when the port is taken. */
  listen(port: number, serve: Serve): () => void;
  /** Any port that is free. */
  free(): number;
}

export type Language = 'python' | 'javascript';

type ProgramIo = {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** The next bytes, a line where there is one; undefined at the end. */
  stdin(): Promise<Buffer | undefined>;
  /** Resolves when the output has been taken. */
  output(kind: OutputKind, bytes: Uint8Array): Promise<void>;
  readonly signal: AbortSignal;
};

/** The program's exit code. `args` are those of the command line, without its name. Never rejects for what a program does. */
export type RunProgram = (language: Language, args: readonly string[], io: ProgramIo) => Promise<number>;

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
