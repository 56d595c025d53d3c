// `git daemon`: the repositories below a folder, on a port of the sandbox. `git://` to it works inside the sandbox, where
// the other git reaches the repository itself; ports carry HTTP, so from elsewhere one clones by git's HTTP protocol.
import { once } from 'node:events';
import { posix } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { ExecResult, ResolvedCommandContext } from 'just-bash';
import type { GitRepo } from 'just-git';
import type { LocalRequest, LocalResponse, Serve } from '../../machine.ts';
import { text } from '../commands/running.ts';
import type { Ports } from '../ports.ts';
import type { Session } from '../session.ts';

type Files = ResolvedCommandContext['fs'];

/** Where the repositories of a daemon are. */
const bases = new WeakMap<Serve, string>();
const UPLOAD = 'git-upload-pack';
/** Of what a client wants and has, unpacked. */
const MAX_REQUEST_BYTES = 16_000_000;

export async function gitDaemon(
  args: readonly string[],
  session: Session,
  ctx: ResolvedCommandContext,
): Promise<ExecResult> {
  const option = (name: string) => args.find(arg => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
  const base = ctx.fs.resolvePath(ctx.cwd, option('base-path') ?? '/');
  const serve: Serve = request => answer(ctx.fs, base, request);
  bases.set(serve, base);
  const close = session.shell.network.listen(Number(option('port') ?? 9418), serve);
  const signal = ctx.signal === undefined ? session.signal : AbortSignal.any([session.signal, ctx.signal]);
  if (!signal.aborted) await once(signal, 'abort');
  close();
  return text('');
}

/** The repository behind a `git://` address of this sandbox; null: it is no such address. @throws Error */
export async function daemonRepo(url: string, fs: Files, ports: Ports): Promise<GitRepo | null> {
  if (!url.startsWith('git://')) return null;
  const { hostname, port, pathname } = new URL(url);
  const serve = /^(localhost|127\.0\.0\.1)$/.test(hostname) ? await ports.find(Number(port || 9418)) : undefined;
  const base = serve && bases.get(serve);
  if (base === undefined) throw new Error(`unable to connect to ${hostname}: Connection refused`);
  return repoAt(fs, base, pathname);
}

async function repoAt(fs: Files, base: string, path: string): Promise<GitRepo | null> {
  const { findRepo } = await import('just-git');
  const folder = posix.join(base, posix.resolve('/', decodeURIComponent(path)));
  return (await fs.exists(folder)) ? findRepo(fs, folder) : null;
}

/** Reading by git's HTTP protocol. */
async function answer(fs: Files, base: string, { method, path, headers, body }: LocalRequest): Promise<LocalResponse> {
  const { pathname, searchParams } = new URL(path, 'http://git');
  const [, folder = '', service] = /^(.*)\/(info\/refs|git-upload-pack)$/.exec(pathname) ?? [];
  const asked = service === 'info/refs' ? searchParams.get('service') : service;
  const repo = asked === UPLOAD ? await repoAt(fs, base, folder) : null;
  if (repo === null) return reply(404, 'text/plain', Buffer.from('not found'));
  const server = await import('just-git/server');
  if (method === 'GET') {
    const { refs, headTarget } = await server.collectRefs(repo);
    const bytes = server.buildRefAdvertisementBytes(refs, UPLOAD, headTarget);
    return reply(200, `application/x-${UPLOAD}-advertisement`, bytes);
  }
  const packed = headers.some(([name, value]) => /^content-encoding$/i.test(name) && value === 'gzip');
  const request = packed ? gunzipSync(body, { maxOutputLength: MAX_REQUEST_BYTES }) : body;
  const pack = await server.handleUploadPack(repo, request);
  if ('reject' in pack) return reply(403, 'text/plain', Buffer.from(pack.message ?? 'refused'));
  const bytes = await new Response(pack as ReadableStream).arrayBuffer();
  return reply(200, `application/x-${UPLOAD}-result`, Buffer.from(bytes));
}

function reply(status: number, type: string, body: Uint8Array): LocalResponse {
  const headers = Object.entries({ 'content-type': type, 'cache-control': 'no-cache' });
  return { status, headers, body };
}
