// filesystem.Filesystem of the sandbox daemon: what is there, changes to it, and watching it. Translates between the
// daemon's wire and a file tree; file contents go over plain HTTP (files-http.ts).
import { randomUUID } from 'node:crypto';
import { posix } from 'node:path';
import { z } from 'zod';
import { Failure } from '../machine/failure.ts';
import type { DataMachine, FileStat } from '../machine/machine.ts';
import { sandboxPath, type User, usersOf } from '../machine/users.ts';
import { Deferred, untilAborted } from '../time.ts';
import { type Service, stream, unary } from './rpc.ts';

const Path = z.object({ path: z.string().default('') });
const Move = z.object({ source: z.string(), destination: z.string() });
const ListDir = Path.extend({ depth: z.number().int().min(0).default(1) });
const Watch = Path.extend({ recursive: z.boolean().default(false), includeEntry: z.boolean().default(false) });
const WatcherId = z.object({ watcherId: z.string() });

const MAX_WATCHERS = 64;
/** Events a polled watcher keeps; the oldest go first. */
const MAX_KEPT_EVENTS = 10_000;

type Watcher = { readonly events: object[]; readonly stop: () => void };
const watchersOf = new WeakMap<DataMachine, Map<string, Watcher>>();

export function filesystemService(machine: DataMachine): Service {
  const { files } = machine;
  // They outlive the requests that make them; the machine's end takes them along.
  const watchers = watchersOf.get(machine) ?? new Map<string, Watcher>();
  watchersOf.set(machine, watchers);
  const find = ({ watcherId }: z.infer<typeof WatcherId>): Watcher => {
    const watcher = watchers.get(watcherId);
    if (watcher === undefined) throw new Failure('not_found', `watcher with id ${watcherId} not found`);
    return watcher;
  };
  return {
    Stat: unary(Path, async ({ path }, { user }) => ({
      entry: await entryInfo(machine, sandboxPath(path, user)).catch(named('file not found: ')),
    })),
    MakeDir: unary(Path, async (request, { user }) => {
      const path = sandboxPath(request.path, user);
      const there = await files.stat(path).catch(() => undefined);
      if (there?.type === 'directory') throw new Failure('already_exists', `directory already exists: ${path}`);
      if (there !== undefined) {
        throw new Failure('invalid_argument', `path already exists but it is not a directory: ${path}`);
      }
      await files.makeDir(path, user.uid).catch(named('error getting file info: ', 'internal'));
      return { entry: await entryInfo(machine, path) };
    }),
    Move: unary(Move, async ({ source, destination }, { user }) => {
      const [from, to] = [sandboxPath(source, user), sandboxPath(destination, user)];
      const there = await files.lstat(to).catch(() => undefined);
      await files.lstat(from).catch(named('source file not found: '));
      // Onto a folder, even an empty one.
      if (there?.type === 'directory') {
        throw new Failure('internal', `error renaming: rename ${from} ${to}: file exists`);
      }
      await files.move(from, to).catch(named(`error renaming: rename ${from} ${to}: `, 'internal'));
      return { entry: await entryInfo(machine, to) };
    }),
    ListDir: unary(ListDir, async ({ path, depth }, { user }) => {
      const shown = sandboxPath(path, user);
      const root = await files.realpath(shown).catch(named('path not found: '));
      if ((await files.stat(root)).type !== 'directory') {
        throw new Failure('invalid_argument', `path is not a directory: ${root}`);
      }
      return { entries: await listDir(machine, shown, root, Math.max(1, depth)) };
    }),
    Remove: unary(Path, ({ path }, { user }) => files.remove(sandboxPath(path, user))),
    CreateWatcher: unary(Watch, async (request, { user }) => {
      if (watchers.size >= MAX_WATCHERS) throw new Failure('resource_exhausted', 'too many watchers');
      const events: object[] = [];
      const stop = await watch(machine, request, user, async event => {
        if (events.push(event) > MAX_KEPT_EVENTS) events.shift();
      });
      const watcherId = randomUUID();
      watchers.set(watcherId, { events, stop });
      return { watcherId };
    }),
    GetWatcherEvents: unary(WatcherId, async request => ({ events: find(request).events.splice(0) })),
    RemoveWatcher: unary(WatcherId, async request => {
      find(request).stop();
      watchers.delete(request.watcherId);
    }),
    WatchDir: stream(Watch, { keepalive: {} }, async (request, { user, send, closed }) => {
      // Events follow the start.
      const started = new Deferred();
      const stop = await watch(machine, request, user, async event => {
        await started.promise;
        await send({ filesystem: event });
      });
      await send({ start: {} });
      started.resolve();
      await untilAborted(closed);
      stop();
    }),
  };
}

async function watch(
  machine: DataMachine,
  options: z.infer<typeof Watch>,
  user: User,
  onEvent: (event: object) => Promise<void>,
): Promise<() => void> {
  const path = sandboxPath(options.path, user);
  const root = await machine.files.realpath(path).catch(named(`path ${path} not found: `));
  if ((await machine.files.stat(root)).type !== 'directory') {
    throw new Failure('invalid_argument', `path ${path} not a directory`);
  }
  return machine.files.watch(root, options.recursive, async event => {
    const wanted = options.includeEntry && event.kind !== 'remove' && event.kind !== 'rename';
    // Absent when it is gone already.
    const entry = wanted ? await entryInfo(machine, event.path).catch(() => undefined) : undefined;
    const type = `EVENT_TYPE_${event.kind.toUpperCase()}`;
    await onEvent({ name: posix.relative(root, event.path), type, ...(entry && { entry }) });
  });
}

/** What is missing, in the daemon's words; `others`: whatever else the file tree refuses is the daemon's own error. */
function named(prefix: string, others?: 'internal'): (caught: unknown) => never {
  return caught => {
    const code = caught instanceof Failure && caught.code === 'not_found' ? caught.code : others;
    throw caught instanceof Failure && code !== undefined ? new Failure(code, prefix + caught.message) : caught;
  };
}

/** As the daemon shows it: type, mode, owner and metadata. */
type EntryInfo = { readonly type: string; readonly symlinkTarget?: string } & Record<string, unknown>;

/** A link shows the type and mode of what it leads to, with its target; a broken one leads to itself and has no type. */
async function entryInfo(machine: DataMachine, path: string, users?: readonly User[]): Promise<EntryInfo> {
  const { files } = machine;
  const stat = await files.lstat(path);
  const isLink = stat.type === 'symlink';
  const target = isLink ? await files.stat(path).catch(() => undefined) : stat;
  const metadata = files.metadata(path);
  const known = users ?? (await usersOf(files));
  const owner = known.find(({ uid }) => uid === stat.uid)?.name ?? String(stat.uid);
  return {
    name: posix.basename(path),
    type: target === undefined ? 'FILE_TYPE_UNSPECIFIED' : `FILE_TYPE_${target.type.toUpperCase()}`,
    path,
    size: String(stat.sizeBytes),
    mode: (target?.mode ?? 0) & 0o777,
    permissions: permissions(stat),
    owner,
    group: owner,
    modifiedTime: new Date(stat.modifiedMs).toISOString(),
    ...(isLink ? { symlinkTarget: await files.realpath(path).catch(() => path) } : {}),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

/** As Go writes a mode. */
function permissions({ type, mode }: FileStat): string {
  const kind = type === 'directory' ? 'd' : type === 'symlink' ? 'L' : '';
  const sticky = (mode & 0o1000) !== 0 ? 't' : '';
  const bits = Array.from({ length: 9 }, (_, at) => ((mode >> (8 - at)) & 1 ? 'rwxrwxrwx'[at] : '-'));
  return (kind + sticky || '-') + bits.join('');
}

/** Each folder sorted by name and followed by what is in it. Links are not followed. Paths start with `shown`, where `root` is reached from. */
async function listDir(machine: DataMachine, shown: string, root: string, depth: number): Promise<EntryInfo[]> {
  const entries: EntryInfo[] = [];
  const users = await usersOf(machine.files);
  const walk = async (directory: string, left: number): Promise<void> => {
    for (const name of (await machine.files.list(directory)).toSorted((a, b) =>
      Buffer.compare(Buffer.from(a), Buffer.from(b)),
    )) {
      const path = posix.join(directory, name);
      const entry = await entryInfo(machine, path, users).catch(() => undefined);
      if (entry === undefined) continue;
      entries.push({ ...entry, path: posix.join(shown, posix.relative(root, path)) });
      const isFolder = entry.type === 'FILE_TYPE_DIRECTORY' && entry.symlinkTarget === undefined;
      if (isFolder && left > 1) await walk(path, left - 1);
    }
  };
  await walk(root, depth);
  return entries;
}
