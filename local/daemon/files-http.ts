// File contents over HTTP: GET and POST /files of the sandbox daemon: type by name or content, encodings the client
// takes, ranges; and what metadata is kept. Knows files, not who may.
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { basename } from 'node:path/posix';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import mime from 'mime';
import Negotiator from 'negotiator';
import parseRange, { type Range } from 'range-parser';
import { readCapped } from '../../src/ground/read-capped.ts';
import { Failure, type FailureCode } from '../machine/failure.ts';
import type { DataMachine } from '../machine/machine.ts';
import { DEFAULT_USER, findUser, sandboxPath, type User } from '../machine/users.ts';
import { Refusal } from './access.ts';
import { sendJson } from './answers.ts';

const STATUS: Readonly<Partial<Record<FailureCode, number>>> = {
  not_found: 404,
  already_exists: 409,
  invalid_argument: 400,
  permission_denied: 403,
  resource_exhausted: 507,
};

/** By which a type is told. */
const TYPED_BYTES = 512;
/** Multipart bodies are held in memory; larger files come as octet-stream. */
const MAX_MULTIPART_BYTES = 512 * 1024 * 1024;

export async function answerFiles(
  machine: DataMachine,
  req: IncomingMessage,
  res: ServerResponse,
  query: URLSearchParams,
): Promise<void> {
  const name = query.get('username') || DEFAULT_USER;
  const user = await findUser(machine.files, name);
  if (user === undefined) throw new Refusal(401, `error looking up user '${name}': user: unknown user ${name}`);
  try {
    if (req.method === 'GET' || req.method === 'HEAD') await download(machine, req, res, query, user);
    else if (req.method === 'POST') sendJson(res, 200, await upload(machine, req, query, user));
    else throw new Refusal(405, 'Use GET or POST.');
  } catch (caught) {
    throw caught instanceof Failure ? new Refusal(STATUS[caught.code] ?? 500, caught.message) : caught;
  }
}

async function download(
  machine: DataMachine,
  req: IncomingMessage,
  res: ServerResponse,
  query: URLSearchParams,
  user: User,
): Promise<void> {
  const path = sandboxPath(query.get('path') ?? '', user);
  const stat = await machine.files.stat(path).catch((caught: unknown) => {
    const missing = caught instanceof Failure && caught.code === 'not_found';
    throw missing ? new Refusal(404, `path '${path}' does not exist`) : caught;
  });
  if (stat.type === 'directory') throw new Refusal(400, `path '${path}' is a directory`);
  const { headers } = req;
  const conditional = ['range', 'if-modified-since', 'if-none-match', 'if-range'].some(name => headers[name]);
  const encoding = encodingFor(headers, conditional);
  if (encoding === undefined) {
    throw new Refusal(406, 'no acceptable encoding found: this file can be sent as it is or with gzip');
  }
  const modified = new Date(Math.floor(stat.modifiedMs / 1000) * 1000);
  const common = {
    'content-disposition': disposition(path),
    vary: 'Accept-Encoding',
    'last-modified': modified.toUTCString(),
  };
  const since = Date.parse(headers['if-modified-since'] ?? '');
  if (!Number.isNaN(since) && headers['if-none-match'] === undefined && modified.getTime() <= since) {
    return void res.writeHead(304, common).end();
  }
  const { sizeBytes, part } = await machine.files.open(path);
  const range = rangeOf(headers.range, sizeBytes);
  if (range === 'none') {
    return void res.writeHead(416, { ...common, 'content-range': `bytes */${sizeBytes}` }).end();
  }
  const start = range?.start ?? 0;
  const end = range?.end ?? sizeBytes - 1;
  res.writeHead(range === undefined ? 200 : 206, {
    ...common,
    'content-type': contentType(path, await buffer(part(0, TYPED_BYTES))),
    ...(range !== undefined && { 'content-range': `bytes ${start}-${end}/${sizeBytes}` }),
    ...(encoding === 'gzip'
      ? { 'content-encoding': 'gzip' }
      : { 'content-length': end - start + 1, 'accept-ranges': 'bytes' }),
  });
  if (req.method === 'HEAD') return void res.end();
  const bytes = Readable.from(part(start, end + 1), { objectMode: false });
  // A client that goes away in the middle is no fault of ours.
  await (encoding === 'gzip' ? pipeline(bytes, createGzip(), res) : pipeline(bytes, res)).catch(() => {});
}

type Written = { name: string; path: string; type: 'file'; metadata?: Readonly<Record<string, string>> };

async function upload(
  machine: DataMachine,
  req: IncomingMessage,
  query: URLSearchParams,
  user: User,
): Promise<Written[]> {
  const encoding = (req.headers['content-encoding'] ?? 'identity').split(';', 1)[0]?.trim().toLowerCase();
  if (encoding !== 'identity' && encoding !== 'gzip') {
    throw new Refusal(400, `error decompressing request body: unsupported Content-Encoding: ${encoding}`);
  }
  const metadata = metadataOf(req.headers);
  const given = query.get('path');
  const body: Readable = encoding === 'gzip' ? req.pipe(createGunzip()) : req;
  const type = req.headers['content-type'] ?? '';
  const write = async (path: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<Written> => {
    const target = sandboxPath(path, user);
    await machine.files.write(target, content, user.uid).catch((caught: unknown) => {
      throw caught instanceof Failure && caught.message.startsWith('path is a file')
        ? new Refusal(500, `error ensuring directories: ${caught.message}`)
        : caught;
    });
    // Also when there is none: an upload replaces all metadata of the file.
    machine.files.setMetadata(target, metadata);
    const shown = Object.keys(metadata).length === 0 ? {} : { metadata };
    return { name: basename(target), path: target, type: 'file', ...shown };
  };
  if (/^application\/octet-stream\b/i.test(type)) {
    if (given === null) throw new Refusal(400, 'path query parameter is required for raw body upload');
    return [await write(given, body)];
  }
  if (!/^multipart\//i.test(type)) {
    const expected = 'expected multipart/form-data or application/octet-stream';
    throw new Refusal(400, `unsupported content type: ${type}, ${expected}`);
  }
  const tooLarge = () => new Failure('resource_exhausted', 'the upload is too large');
  const content = await readCapped(body, { maxBytes: MAX_MULTIPART_BYTES, tooLarge });
  const form = await new Response(content, { headers: { 'content-type': type } }).formData().catch(() => undefined);
  if (form === undefined) throw new Refusal(400, 'the multipart body is cut off or malformed');
  const written: Written[] = [];
  for (const part of form.getAll('file')) {
    const path = given ?? (typeof part === 'string' ? '' : part.name);
    if (path === '') throw new Refusal(400, 'a file without a name');
    const target = sandboxPath(path, user);
    if (written.some(earlier => earlier.path === target)) {
      const same = `you cannot upload multiple files to the same path '${target}' in one upload request`;
      throw new Refusal(400, `${same}, only the first specified file was uploaded`);
    }
    const bytes = typeof part === 'string' ? Buffer.from(part) : new Uint8Array(await part.arrayBuffer());
    written.push(await write(path, bytes));
  }
  return written;
}

/** By the name's ending, else by the first bytes. */
function contentType(path: string, start: Uint8Array): string {
  const binary = start.some(byte => byte < 9 || (byte > 13 && byte < 32 && byte !== 27));
  const type = mime.getType(path) ?? (binary ? 'application/octet-stream' : 'text/plain');
  return type.startsWith('text/') ? `${type}; charset=utf-8` : type;
}

function disposition(path: string): string {
  const name = basename(path);
  if (/^[\w.!#$&+^`|~-]+$/.test(name)) return `inline; filename=${name}`;
  if (/^[\x20-\x7e]+$/.test(name)) return `inline; filename="${name.replace(/["\\]/g, '\\$&')}"`;
  return `inline; filename*=utf-8''${encodeURIComponent(name)}`;
}

/** The best of what the client takes; undefined when it takes neither. `plainOnly`: a part of a file is never packed. */
const encodingFor = (headers: IncomingHttpHeaders, plainOnly: boolean): string | undefined =>
  new Negotiator({ headers }).encoding(plainOnly ? ['identity'] : ['identity', 'gzip']);

/** One range of a file; undefined: the whole; `none`: it is outside. */
function rangeOf(header: string | undefined, sizeBytes: number): Range | 'none' | undefined {
  const ranges = header === undefined ? [] : parseRange(sizeBytes, header);
  if (ranges === -1) return 'none';
  return ranges === -2 || ranges.length > 1 ? undefined : ranges[0];
}

/** Metadata of an upload: these headers, within what an extended attribute holds. */
const HEADER = 'x-metadata-';
/** The attribute's name; it counts. */
const ATTRIBUTE = 'user.e2b.';
const MAX_KEY_CHARS = 255 - ATTRIBUTE.length;
const MAX_TOTAL_CHARS = 4_096;

/** @throws Failure invalid_argument */
function metadataOf(headers: IncomingHttpHeaders): Record<string, string> {
  const metadata: Record<string, string> = {};
  let total = 0;
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith(HEADER) || typeof value !== 'string') continue;
    const key = name.slice(HEADER.length);
    if (key === '') continue;
    if (key.length > MAX_KEY_CHARS) refuse(`metadata key "${key}" exceeds ${MAX_KEY_CHARS} bytes`);
    if (!/^[\x20-\x7e]*$/.test(value)) refuse(`metadata value for key "${key}" contains non-printable-ASCII bytes`);
    total += ATTRIBUTE.length + key.length + value.length;
    metadata[key] = value;
  }
  if (total > MAX_TOTAL_CHARS) refuse(`total metadata size ${total} exceeds ${MAX_TOTAL_CHARS} bytes`);
  return metadata;
}

function refuse(message: string): never {
  throw new Failure('invalid_argument', `invalid metadata: ${message}`);
}
