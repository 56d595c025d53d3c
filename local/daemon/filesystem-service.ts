// filesystem.Filesystem of the sandbox daemon: what is there, changes to it, and watching it. Translates between the
// daemon's wire and a file tree; file contents go over plain HTTP (files-http.ts).
import { randomUUID } from 'node:crypto';
import { posix } from 'node:path';
import { z } from 'zod';
import { type DataMachine, FileError, type FileEvent, type FileStat } from '../machine/machine.ts';
import { sandboxPath } from '../machine/paths.ts';
import { RpcError, read, type Service } from './rpc.ts';

const Path = z.object({ path: z.string().default('') });
const Move = z.object({ source: z.string(), destination: z.string() });
const ListDir = Path.extend({ depth: z.number().int().min(0).default(1) });
const Watch = Path.extend({ recursive: z.boolean().default(false), includeEntry: z.boolean().default(false) });
const Watcher = z.object({ watcherId: z.string() });

const KEEPALIVE_MS = 50_000;
const MAX_WATCHERS = 64;
/** Events a polled watcher keeps; the oldest go first. */
const MAX_KEPT_EVENTS = 10_000;

type Watcher = { events: object[]; stop: () => void };
const watchersOf = new WeakMap<DataMachine, Map<string, Watcher>>();

export function filesystemService(machine: DataMachine): Service {
  const { files } = machine;
  const watchers = polledWatchers(machine);
  return {
    unary: {
      Stat: async (request, info) => ({
        entry: await entryInfo(machine, sandboxPath(read(Path, request).path, info.user)),
      }),
      MakeDir: async (request, info) => {
        const path = sandboxPath(read(Path, request).path, info.user);
        await files.makeDir(path);
        return { entry: await entryInfo(machine, path) };
      },
      Move: async (request, info) => {
        const { source, destination } = read(Move, request);
        const to = sandboxPath(destination, info.user);
        const from = sandboxPath(source, info.user);
        await files.move(from, to);
        moveMetadata(machine, from, to);
        return { entry: await entryInfo(machine, to) };
      },
      ListDir: async (request, info) => {
        const { path, depth } = read(ListDir, request);
        const root = await files.realpath(sandboxPath(path, info.user));
        if ((await files.stat(root)).type !== 'directory') throw notADirectory(root);
        return { entries: await listDir(machine, root, Math.max(1, depth)) };
      },
      Remove: async (request, info) => {
        const path = sandboxPath(read(Path, request).path, info.user);
        await files.remove(path);
        moveMetadata(machine, path, undefined);
        return {};
      },
      CreateWatcher: async (request, info) => {
        if (watchers.size >= MAX_WATCHERS) throw new RpcError('resource_exhausted', 'too many watchers');
        const watcher: Watcher = { events: [], stop: () => {} };
        watcher.stop = await watch(machine, read(Watch, request), info.user, async event => {
          if (watcher.events.push(event) > MAX_KEPT_EVENTS) watcher.events.shift();
        });
        const watcherId = randomUUID();
        watchers.set(watcherId, watcher);
        return { watcherId };
      },
      GetWatcherEvents: async request => {
        const watcher = watchers.get(read(Watcher, request).watcherId);
        if (watcher === undefined) throw new RpcError('not_found', 'watcher not found');
        return { events: watcher.events.splice(0) };
      },
      RemoveWatcher: async request => {
        const { watcherId } = read(Watcher, request);
        const watcher = watchers.get(watcherId);
        if (watcher === undefined) throw new RpcError('not_found', 'watcher not found');
        watcher.stop();
        watchers.delete(watcherId);
        return {};
      },
    },
    streams: {
      WatchDir: async (request, info, send, closed) => {
        // Events follow the start, in order: each waits for the one before.
        let begin = (): void => {};
        let order = new Promise<void>(resolve => {
          begin = resolve;
        });
        const stop = await watch(machine, read(Watch, request), info.user, async event => {
          order = order.then(() => send({ filesystem: event }));
        });
        await send({ start: {} });
        begin();
        const keepalive = setInterval(() => {
          order = order.then(() => send({ keepalive: {} }));
        }, KEEPALIVE_MS);
        try {
          await untilClosed(closed, info.timeoutMs);
        } finally {
          clearInterval(keepalive);
          stop();
        }
      },
    },
  };
}

/** Watchers outlive the requests that make them; the machine's end takes them along. */
function polledWatchers(machine: DataMachine): Map<string, Watcher> {
  let watchers = watchersOf.get(machine);
  if (watchers === undefined) {
    watchers = new Map();
    watchersOf.set(machine, watchers);
  }
  return watchers;
}

async function watch(
  machine: DataMachine,
  options: z.infer<typeof Watch>,
  user: string,
  onEvent: (event: object) => Promise<void>,
): Promise<() => void> {
  const root = await machine.files.realpath(sandboxPath(options.path, user));
  if ((await machine.files.stat(root)).type !== 'directory') throw notADirectory(root);
  return machine.files.watch(root, options.recursive, async event => {
    await onEvent({
      name: posix.relative(root, event.path),
      type: `EVENT_TYPE_${event.kind.toUpperCase()}`,
      ...(options.includeEntry ? await entryOf(machine, event) : {}),
    });
  });
}

/** Absent when it is gone already. */
async function entryOf(machine: DataMachine, event: FileEvent): Promise<object> {
  if (event.kind === 'remove') return {};
  const entry = await entryInfo(machine, event.path).catch(() => undefined);
  return entry === undefined ? {} : { entry };
}

function untilClosed(closed: AbortSignal, timeoutMs: number | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const deadline =
      timeoutMs === undefined
        ? undefined
        : setTimeout(
            () => reject(new RpcError('deadline_exceeded', 'the deadline of the watch has passed')),
            timeoutMs,
          );
    const done = (): void => {
      clearTimeout(deadline);
      resolve();
    };
    if (closed.aborted) done();
    else closed.addEventListener('abort', done, { once: true });
  });
}

/** Breadth first, each directory sorted by name. */
async function listDir(machine: DataMachine, root: string, depth: number): Promise<object[]> {
  const entries: object[] = [];
  let level = [root];
  for (let at = 1; at <= depth && level.length > 0; at += 1) {
    const next: string[] = [];
    for (const directory of level) {
      for (const name of (await machine.files.list(directory)).toSorted()) {
        const path = posix.join(directory, name);
        const entry = await entryInfo(machine, path).catch(() => undefined);
        if (entry === undefined) continue;
        entries.push(entry);
        if (entry.type === 'FILE_TYPE_DIRECTORY' && entry.symlinkTarget === undefined) next.push(path);
      }
    }
    level = next;
  }
  return entries;
}

type EntryInfo = { readonly type: string; readonly symlinkTarget?: string } & Record<string, unknown>;

/** A link is shown as what it leads to, with its target; a broken one as a link. */
async function entryInfo(machine: DataMachine, path: string): Promise<EntryInfo> {
  const link = await machine.files.lstat(path);
  const isLink = link.type === 'symlink';
  const stat = isLink ? await machine.files.stat(path).catch(() => link) : link;
  const metadata = machine.metadata.get(path);
  return {
    name: posix.basename(path),
    type: `FILE_TYPE_${stat.type.toUpperCase()}`,
    path,
    size: String(stat.sizeBytes),
    mode: stat.mode,
    permissions: permissions(stat),
    owner: 'user',
    group: 'user',
    modifiedTime: new Date(stat.modifiedMs).toISOString(),
    ...(isLink ? { symlinkTarget: await target(machine, path) } : {}),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

async function target(machine: DataMachine, path: string): Promise<string> {
  return machine.files.realpath(path).catch(() => machine.files.readlink(path));
}

function permissions(stat: FileStat): string {
  const kind = stat.type === 'directory' ? 'd' : stat.type === 'symlink' ? 'L' : '-';
  const bits = Array.from({ length: 9 }, (_, at) => ((stat.mode >> (8 - at)) & 1 ? 'rwxrwxrwx'[at] : '-'));
  return kind + bits.join('');
}

/** Metadata goes with its file or folder; with no destination it goes for good. */
function moveMetadata(machine: DataMachine, from: string, to: string | undefined): void {
  for (const [path, metadata] of Array.from(machine.metadata)) {
    if (path !== from && !path.startsWith(`${from}/`)) continue;
    machine.metadata.delete(path);
    if (to !== undefined) machine.metadata.set(to + path.slice(from.length), metadata);
  }
}

function notADirectory(path: string): FileError {
  return new FileError('invalid_argument', `path is not a directory: ${path}`);
}
