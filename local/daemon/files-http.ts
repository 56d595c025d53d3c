// File contents over HTTP: GET and POST /files of the sandbox daemon. Knows files, not who may.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { basename } from 'node:path/posix';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { type DataMachine, FileError } from '../machine/machine.ts';
import { sandboxPath } from '../machine/paths.ts';
import { sendJson } from './answers.ts';
import { boundaryOf, parseMultipart } from './multipart.ts';

const STATUS: Readonly<Record<FileError['code'], number>> = {
  not_found: 404,
  already_exists: 409,
  invalid_argument: 400,
  permission_denied: 403,
  resource_exhausted: 507,
};

/** Multipart bodies are held in memory; larger files come as octet-stream. */
const MAX_MULTIPART_BYTES = 512 * 1024 * 1024;

export async function answerFiles(
  machine: DataMachine,
  req: IncomingMessage,
  res: ServerResponse,
  query: URLSearchParams,
  user: string,
): Promise<void> {
  try {
    if (req.method === 'GET' || req.method === 'HEAD') await download(machine, req, res, query, user);
    else if (req.method === 'POST') sendJson(res, 200, await upload(machine, req, query, user));
    else sendJson(res, 405, { code: 405, message: 'Use GET or POST.' });
  } catch (caught) {
    if (res.headersSent) throw caught;
    const status = caught instanceof FileError ? STATUS[caught.code] : 500;
    sendJson(res, status, { code: status, message: caught instanceof Error ? caught.message : 'failed' });
  }
}

async function download(
  machine: DataMachine,
  req: IncomingMessage,
  res: ServerResponse,
  query: URLSearchParams,
  user: string,
): Promise<void> {
  const path = sandboxPath(query.get('path') ?? '', user);
  if ((await machine.files.stat(path)).type === 'directory') {
    throw new FileError('invalid_argument', `path '${path}' is a directory`);
  }
  const { sizeBytes, body } = await machine.files.open(path);
  const gzip = req.headers['accept-encoding']?.trim() === 'gzip';
  res.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-disposition': `inline; filename*=utf-8''${encodeURIComponent(basename(path))}`,
    vary: 'Accept-Encoding',
    ...(gzip ? { 'content-encoding': 'gzip' } : { 'content-length': sizeBytes }),
  });
  if (req.method === 'HEAD') {
    res.end();
    return;
  }
  const source = Readable.from(body, { objectMode: false });
  // A client that goes away in the middle is no fault of ours.
  await (gzip ? pipeline(source, createGzip(), res) : pipeline(source, res)).catch(() => {});
}

type Written = { name: string; path: string; type: 'file'; metadata?: Readonly<Record<string, string>> };

async function upload(
  machine: DataMachine,
  req: IncomingMessage,
  query: URLSearchParams,
  user: string,
): Promise<Written[]> {
  const metadata = metadataOf(req);
  const given = query.get('path');
  const body: Readable = req.headers['content-encoding'] === 'gzip' ? req.pipe(createGunzip()) : req;
  const type = req.headers['content-type'] ?? '';
  const boundary = boundaryOf(type);
  const write = async (path: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<Written> => {
    const target = sandboxPath(path, user);
    await machine.files.write(target, content);
    if (Object.keys(metadata).length > 0) machine.metadata.set(target, metadata);
    const shown = machine.metadata.get(target);
    return { name: basename(target), path: target, type: 'file', ...(shown === undefined ? {} : { metadata: shown }) };
  };
  if (boundary === undefined) {
    if (given === null || given === '') throw new FileError('invalid_argument', 'say the path: /files?path=…');
    return [await write(given, body)];
  }
  const parts = parseMultipart(await collect(body), boundary)?.filter(part => part.name === 'file');
  if (parts === undefined) throw new FileError('invalid_argument', 'the multipart body is cut off or malformed');
  if (given !== null && given !== '' && parts.length > 1) {
    throw new FileError('invalid_argument', 'one path, but several files');
  }
  const written: Written[] = [];
  for (const part of parts) {
    const path = given !== null && given !== '' ? given : part.filename;
    if (path === undefined || path === '') throw new FileError('invalid_argument', 'a file without a name');
    written.push(await write(path, part.content));
  }
  return written;
}

async function collect(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_MULTIPART_BYTES) throw new FileError('resource_exhausted', 'the upload is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const METADATA_HEADER = 'x-metadata-';

function metadataOf(req: IncomingMessage): Record<string, string> {
  const metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(req.headers)) {
    if (name.startsWith(METADATA_HEADER) && typeof value === 'string') {
      metadata[name.slice(METADATA_HEADER.length)] = value;
    }
  }
  return metadata;
}
