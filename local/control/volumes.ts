// Volumes of each team: names, ids, the tokens they are reached with, and their content over HTTP, reached with the
// volume's own token.
import { randomUUID } from 'node:crypto';
import { posix } from 'node:path';
import type { Request, RequestHandler } from 'express';
import { z } from 'zod';
import { readCapped } from '../../src/ground/read-capped.ts';
import type { VolumeMount } from '../cloud.ts';
import { same } from '../daemon/access.ts';
import { Failure } from '../machine/failure.ts';
import type { FileTree, VolumeFiles } from '../machine/machine.ts';
import { newToken } from '../sandbox.ts';
import type { Handlers } from './operation.ts';
import { ApiError, TeamStore } from './team.ts';

export type Volume = {
  readonly id: string;
  readonly teamId: string;
  readonly name: string;
  readonly token: string;
  readonly content: VolumeFiles | undefined;
};

/** Undefined where machines share nothing. */
export type MakeVolume = () => Promise<VolumeFiles | undefined>;

export class VolumeStore extends TeamStore<Volume> {
  readonly #make: MakeVolume;

  constructor(make: MakeVolume) {
    super('Volume');
    this.#make = make;
  }

  /** @throws ApiError 400 when the team has one of that name */
  async create(teamId: string, name: string): Promise<Volume> {
    const content = await this.#make();
    if (this.ofTeam(teamId).some(volume => volume.name === name)) {
      throw new ApiError(400, `Volume with name '${name}' already exists`);
    }
    return this.set({ id: randomUUID(), teamId, name, token: newToken(), content });
  }

  /** The mounts with what they lead to, for the machine. @throws ApiError 400 that lists every mount that is wrong */
  mountsOf(teamId: string, mounts: readonly VolumeMount[]): VolumeMount[] {
    const volumes = this.ofTeam(teamId);
    const faults: string[] = [];
    const found = mounts.map((mount, at) => {
      const volume = volumes.find(each => each.name === mount.name);
      const taken = mounts.slice(0, at).some(earlier => earlier.path === mount.path);
      const fault = mountFault(volume, mount, taken);
      if (fault !== undefined) faults.push(`\t- volume mount #${at}: ${fault}`);
      return { name: mount.name, path: mount.path, content: volume?.content };
    });
    if (faults.length > 0) throw new ApiError(400, `invalid mounts:\n${faults.join('\n')}`);
    return found;
  }

  withToken(token: string): Volume | undefined {
    return this.all().find(volume => same(volume.token, token));
  }
}

function mountFault(volume: Volume | undefined, { name, path }: VolumeMount, taken: boolean): string | undefined {
  if (volume === undefined) return `volume '${name}' not found`;
  if (path === '') return 'path cannot be empty';
  if (!path.startsWith('/')) return 'path must be absolute';
  if (posix.resolve(path) !== path) return "path must not contain any '.' or '..' components";
  return taken ? `path '${path}' is already used` : undefined;
}

const brief = ({ id, name }: Volume) => ({ volumeID: id, name });
const full = (volume: Volume) => ({ ...brief(volume), token: volume.token });

export function volumeHandlers(volumes: VolumeStore): Handlers {
  return {
    'GET /volumes': ({ team }) => volumes.ofTeam(team.teamId).map(brief),
    'POST /volumes': async ({ team, body }) => full(await volumes.create(team.teamId, body.name)),
    'GET /volumes/{volumeID}': ({ team, param }) => full(volumes.get(team.teamId, param('volumeID'))),
    'DELETE /volumes/{volumeID}': ({ team, param }) => volumes.remove(volumes.get(team.teamId, param('volumeID'))),
  };
}

const MAX_FILE_BYTES = 256 * 1024 * 1024;
const number = z.coerce.number().int().min(0);
const Query = z.object({
  path: z.string().default('/'),
  depth: number.default(1),
  uid: number.optional(),
  mode: number.optional(),
  force: z.stringbool({ truthy: ['true'], falsy: ['false'] }).default(false),
});
const Change = z.object({ uid: number.optional(), gid: number.optional(), mode: number.optional() });
type Asked = z.output<typeof Query>;

/** For `/volumecontent/:volumeID/:what`, before any API key is asked for. */
export function volumeContent(volumes: VolumeStore): RequestHandler {
  return async (req, res) => {
    const volume = authorized(volumes, req);
    const [status, work] = WORK[`${req.method} ${String(req.params.what)}`] ?? [];
    if (status === undefined || work === undefined) throw new ApiError(404, 'no matching operation was found');
    const parsed = Query.safeParse(req.query);
    if (!parsed.success) throw new ApiError(400, `validation error: ${parsed.error.issues[0]?.message ?? 'invalid'}`);
    const query = { ...parsed.data, path: posix.resolve('/', parsed.data.path.trim()) };
    try {
      const body = await work(volume.content.files, query, req);
      res.status(status);
      if (Buffer.isBuffer(body)) res.type('application/octet-stream').send(body);
      else if (body === undefined) res.end();
      else res.json(body);
    } catch (caught) {
      if (!(caught instanceof Failure)) throw caught;
      if (caught.code === 'not_found') throw notFound(query.path);
      throw new ApiError(caught.code === 'resource_exhausted' ? 507 : 409, caught.message);
    }
  };
}

/** @throws ApiError 401, 404 */
function authorized(volumes: VolumeStore, req: Request): Volume & { content: { files: FileTree } } {
  const token = /^Bearer (.+)$/i.exec(req.headers.authorization ?? '')?.[1];
  const volume = token === undefined ? undefined : volumes.withToken(token);
  if (volume === undefined) throw new ApiError(401, 'invalid or missing volume token');
  const { content } = volume;
  if (volume.id !== req.params.volumeID || content === undefined) {
    throw new ApiError(404, `Volume '${String(req.params.volumeID)}' not found`);
  }
  return { ...volume, content };
}

type Work = (files: FileTree, query: Asked, req: Request) => Promise<object | undefined>;

/** What each method does to a path, a folder or a file, and its status. */
const WORK: Readonly<Record<string, readonly [status: number, work: Work]>> = {
  'GET path': [200, (files, { path }) => stat(files, path)],
  'PATCH path': [200, change],
  'DELETE path': [204, remove],
  'GET dir': [200, (files, { path, depth }) => list(files, path, Math.max(1, depth))],
  'POST dir': [201, makeDir],
  'GET file': [200, readFile],
  'PUT file': [201, writeFile],
};

async function change(files: FileTree, { path }: Asked, req: Request): Promise<object> {
  const { mode, uid } = Change.parse(JSON.parse((await collect(req)).toString('utf8') || '{}'));
  await files.stat(path);
  if (uid !== undefined) await files.chown(path, uid);
  return made(files, { path, mode });
}

async function remove(files: FileTree, { path }: Asked): Promise<undefined> {
  await files.lstat(path);
  if (path === '/') throw notFound(path);
  await files.remove(path);
}

async function readFile(files: FileTree, { path }: Asked): Promise<Buffer> {
  if ((await files.stat(path)).type !== 'file') throw notFound(path);
  return Buffer.from(await files.read(path));
}

async function makeDir(files: FileTree, query: Asked): Promise<object> {
  const { path, uid = 0, force } = query;
  const there = await files.stat(path).catch(() => undefined);
  if (there?.type === 'directory' && force) return stat(files, path);
  if (there !== undefined) throw new ApiError(409, `Path ${path} already exists`);
  await parentOf(files, path, force);
  await files.makeDir(path, uid);
  return made(files, query);
}

async function writeFile(files: FileTree, query: Asked, req: Request): Promise<object> {
  const { path, uid = 0, force } = query;
  const bytes = await collect(req);
  const there = await files.stat(path).catch(() => undefined);
  if (there?.type === 'directory') throw new ApiError(409, `Path ${path} is a directory`);
  if (there !== undefined && !force) throw new ApiError(409, `Path ${path} already exists`);
  await parentOf(files, path, false);
  await files.write(path, bytes, uid);
  return made(files, query);
}

async function made(files: FileTree, { path, mode }: Pick<Asked, 'path' | 'mode'>): Promise<object> {
  if (mode !== undefined) await files.chmod(path, mode);
  return stat(files, path);
}

/** @throws ApiError 404 unless it may be made, 409 when it is a file */
async function parentOf(files: FileTree, path: string, mayMake: boolean): Promise<void> {
  const parent = posix.dirname(path);
  const there = await files.stat(parent).catch(() => undefined);
  if (there === undefined && !mayMake) throw notFound(parent);
  if (there !== undefined && there.type !== 'directory') throw new ApiError(409, `Path ${parent} is not a directory`);
}

async function list(files: FileTree, path: string, depth: number): Promise<object[]> {
  if ((await files.stat(path)).type !== 'directory') throw notFound(path);
  const found: object[] = [];
  for (const name of (await files.list(path)).toSorted()) {
    const below = posix.join(path, name);
    found.push(await stat(files, below));
    if (depth > 1 && (await files.lstat(below)).type === 'directory') {
      found.push(...(await list(files, below, depth - 1)));
    }
  }
  return found;
}

async function stat(files: FileTree, path: string): Promise<object> {
  const { type, sizeBytes, mode, uid, modifiedMs } = await files.lstat(path);
  const time = new Date(modifiedMs).toISOString();
  const target = type === 'symlink' ? { target: await files.readlink(path) } : {};
  const times = { atime: time, mtime: time, ctime: time };
  return { name: posix.basename(path), type, path, size: sizeBytes, mode, uid, gid: uid, ...times, ...target };
}

const notFound = (path: string): ApiError => new ApiError(404, `Path ${path} not found`);

const collect = (req: Request): Promise<Buffer> =>
  readCapped(req, { maxBytes: MAX_FILE_BYTES, tooLarge: () => new ApiError(413, 'request body too large') });
