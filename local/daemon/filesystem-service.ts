// filesystem.Filesystem of the sandbox daemon: what is there, changes to it, and watching it. Translates between the
// daemon's wire and a file tree; file contents go over plain HTTP (files-http.ts).
import { randomUUID } from 'node:crypto';
import { posix } from 'node:path';
import { z } from 'zod';
import { Failure } from '../machine/failure.ts';
import type { DataMachine, FileEvent } from '../machine/machine.ts';
import { sandboxPath } from '../machine/paths.ts';
import type { User } from '../machine/users.ts';
import { Deferred, untilAborted } from '../waiting.ts';
import { entryInfo, listDir } from './entry-info.ts';
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
      await files.makeDir(path, user.uid).catch(internal('error getting file info: '));
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
      await files.move(from, to).catch(internal(`error renaming: rename ${from} ${to}: `));
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
    await onEvent({
      name: posix.relative(root, event.path),
      type: `EVENT_TYPE_${event.kind.toUpperCase()}`,
      ...(options.includeEntry ? await entryOf(machine, event) : {}),
    });
  });
}

/** Absent when it is gone already. */
async function entryOf(machine: DataMachine, event: FileEvent): Promise<object> {
  if (event.kind === 'remove' || event.kind === 'rename') return {};
  const entry = await entryInfo(machine, event.path).catch(() => undefined);
  return entry === undefined ? {} : { entry };
}

/** What is missing, in the daemon's words; everything else as it is. */
function named(prefix: string): (caught: unknown) => never {
  return caught => {
    throw caught instanceof Failure && caught.code === 'not_found'
      ? new Failure('not_found', prefix + caught.message)
      : caught;
  };
}

/** What the file tree refuses for any other reason than a missing path is the daemon's own error. */
function internal(prefix: string): (caught: unknown) => never {
  return caught => {
    if (!(caught instanceof Failure)) throw caught;
    throw new Failure(caught.code === 'not_found' ? 'not_found' : 'internal', prefix + caught.message);
  };
}
