// The content of volumes over HTTP: files, folders and paths of one volume, reached with the volume's own token.
import { posix } from 'node:path';
import type { Request, RequestHandler, Response } from 'express';
import { z } from 'zod';
import { readCapped } from '../../src/ground/read-capped.ts';
import { FileError, type FileTree } from '../machine/machine.ts';
import { ApiError } from './errors.ts';
import type { Volume, VolumeStore } from './volumes.ts';

const MAX_FILE_BYTES = 256 * 1024 * 1024;
const number = z.coerce.number().int().min(0);
const Query = z.object({
  path: z.string().default('/'),
  depth: number.default(1),
  uid: number.optional(),
  mode: number.optional(),
  force: z.enum(['true', 'false']).default('false'),
});
const Change = z.object({ uid: number.optional(), gid: number.optional(), mode: number.optional() });
type Asked = z.output<typeof Query>;

/** For `/volumecontent/:volumeID/:what`, before any API key is asked for. */
export function volumeContent(volumes: VolumeStore): RequestHandler {
  return async (req, res) => {
    const volume = authorized(volumes, req);
    const parsed = Query.safeParse(req.query);
    if (!parsed.success) throw new ApiError(400, `validation error: ${parsed.error.issues[0]?.message ?? 'invalid'}`);
    const query = { ...parsed.data, path: posix.resolve('/', parsed.data.path.trim()) };
    try {
      await answer(volume.content.files, req, res, query);
    } catch (caught) {
      if (!(caught instanceof FileError)) throw caught;
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
  if (volume.volumeId !== req.params.volumeID || content === undefined) {
    throw new ApiError(404, `Volume '${String(req.params.volumeID)}' not found`);
  }
  return { ...volume, content };
}

async function answer(files: FileTree, req: Request, res: Response, query: Asked): Promise<void> {
  const { path } = query;
  switch (`${req.method} ${String(req.params.what)}`) {
    case 'GET path':
      res.json(await stat(files, path));
      return;
    case 'PATCH path': {
      const change = Change.parse(JSON.parse((await collect(req)).toString('utf8') || '{}'));
      await files.stat(path);
      if (change.mode !== undefined) await files.chmod(path, change.mode);
      if (change.uid !== undefined) await files.chown(path, change.uid);
      res.json(await stat(files, path));
      return;
    }
    case 'DELETE path':
      await files.lstat(path);
      if (path === '/') throw notFound(path);
      await files.remove(path);
      res.status(204).end();
      return;
    case 'GET dir':
      res.json(await list(files, path, Math.max(1, query.depth)));
      return;
    case 'POST dir':
      await makeDir(files, query);
      res.status(201).json(await stat(files, path));
      return;
    case 'GET file': {
      if ((await files.stat(path)).type !== 'file') throw notFound(path);
      res
        .status(200)
        .type('application/octet-stream')
        .send(Buffer.from(await files.read(path)));
      return;
    }
    case 'PUT file':
      await writeFile(files, query, await collect(req));
      res.status(201).json(await stat(files, path));
      return;
    default:
      throw new ApiError(404, 'no matching operation was found');
  }
}

async function makeDir(files: FileTree, { path, uid = 0, mode, force }: Asked): Promise<void> {
  const there = await files.stat(path).catch(() => undefined);
  if (there !== undefined) {
    if (force === 'true' && there.type === 'directory') return;
    throw new ApiError(409, `Path ${path} already exists`);
  }
  await parentOf(files, path, force === 'true');
  await files.makeDir(path, uid);
  if (mode !== undefined) await files.chmod(path, mode);
}

async function writeFile(files: FileTree, { path, uid = 0, mode, force }: Asked, bytes: Buffer): Promise<void> {
  const there = await files.stat(path).catch(() => undefined);
  if (there?.type === 'directory') throw new ApiError(409, `Path ${path} is a directory`);
  if (there !== undefined && force !== 'true') throw new ApiError(409, `Path ${path} already exists`);
  await parentOf(files, path, false);
  await files.write(path, bytes, uid);
  if (mode !== undefined) await files.chmod(path, mode);
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
