// The ports of a virtual sandbox: servers inside it register here, requests from outside (the data plane) and inside
// (curl, fetch) are answered by them. HTTP without sockets; nothing of the host's network is touched.
import type { SecureFetch } from 'just-bash';
import { readCapped } from '../../../src/ground/read-capped.ts';
import { Deferred } from '../../time.ts';
import type { LocalRequest, LocalResponse, Network, PortHandler, Serve } from '../machine.ts';

const LOCAL = new Set(['localhost', '127.0.0.1', '0.0.0.0', '[::1]']);
const HOP = new Set(['connection', 'transfer-encoding', 'keep-alive', 'content-length']);
/** Interpreters take this long to start, at most, where a real machine's server would be up at once. */
const START_MS = 15_000;
/** Once its program runs, it has this long to open a port. */
const OPEN_MS = 300;
const MAX_BODY_BYTES = 64 * 1024 * 1024;
const tooLarge = () => new Error('the request body is too large');

/** Another sandbox's port; undefined when it is none, or may not be asked. */
type Elsewhere = (url: URL, request: LocalRequest) => Promise<LocalResponse> | undefined;

export class Ports implements Network {
  readonly #elsewhere: Elsewhere;
  readonly #servers = new Map<number, Serve>();
  readonly #starting = new Set<{ runs: boolean }>();
  /** A port was opened, or one less program starts. */
  #changed = new Deferred();

  constructor(elsewhere: Elsewhere) {
    this.#elsewhere = elsewhere;
  }

  starting(): () => void {
    const start = { runs: false };
    const over = (): void => {
      this.#starting.delete(start);
      this.#change();
    };
    this.#starting.add(start);
    setTimeout(over, START_MS).unref();
    return () => {
      if (!start.runs) setTimeout(over, OPEN_MS).unref();
      start.runs = true;
    };
  }

  /** What listens there; an interpreter that has just been started gets the time to. */
  async find(port: number): Promise<Serve | undefined> {
    while (!this.#servers.has(port) && this.#starting.size > 0) {
      await this.#changed.promise;
    }
    return this.#servers.get(port);
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = new Deferred();
  }

  listen(port: number, serve: Serve): () => void {
    if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error(`not a port: ${port}`);
    if (this.#servers.has(port)) throw new Error('Address already in use');
    this.#servers.set(port, serve);
    this.#change();
    return () => {
      if (this.#servers.get(port) === serve) this.#servers.delete(port);
    };
  }

  free(): number {
    for (let port = 32_768; ; port += 1) if (!this.#servers.has(port)) return port;
  }

  open(): number[] {
    return [...this.#servers.keys()];
  }

  /** For the data plane. */
  async handler(port: number): Promise<PortHandler | undefined> {
    const serve = await this.find(port);
    if (serve === undefined) return undefined;
    return async (req, res, path) => {
      try {
        const body = await readCapped(req, { maxBytes: MAX_BODY_BYTES, tooLarge });
        const headers: [string, string][] = [];
        for (let at = 0; at + 1 < req.rawHeaders.length; at += 2) {
          const name = req.rawHeaders[at] ?? '';
          if (!/^(e2b-|x-access-token$)/i.test(name)) headers.push([name, req.rawHeaders[at + 1] ?? '']);
        }
        const answer = await serve({ method: req.method ?? 'GET', path, headers, body });
        for (const [name, value] of answer.headers) {
          if (!HOP.has(name.toLowerCase())) res.appendHeader(name, value);
        }
        res.writeHead(answer.status, { 'content-length': answer.body.length });
        res.end(req.method === 'HEAD' ? undefined : answer.body);
      } catch (caught) {
        if (res.headersSent) res.destroy();
        else
          res.writeHead(502, { 'content-type': 'text/plain' }).end(caught instanceof Error ? caught.message : 'failed');
      }
    };
  }

  async request(url: string, request: Omit<LocalRequest, 'path'>): Promise<LocalResponse> {
    const address = new URL(url);
    const { hostname, port, protocol, pathname, search } = address;
    const asked = { ...request, path: pathname + search };
    if (protocol !== 'http:' || !LOCAL.has(hostname)) {
      const reachable = 'only http://localhost:PORT of the sandbox itself and the ports of others by getHost()';
      const answer = this.#elsewhere(address, asked);
      if (answer === undefined) throw new Error(`local mode's sandboxes have no network: ${reachable}, not ${url}`);
      return answer;
    }
    const number = port === '' ? 80 : Number(port);
    const serve = await this.find(number);
    if (serve === undefined) throw new Error(`Connection refused: nothing listens on port ${number} of this sandbox`);
    return serve(asked);
  }

  /** As the web's fetch. */
  async webFetch(request: Request): Promise<Response> {
    const { method, url, headers } = request;
    const body = new Uint8Array(await request.arrayBuffer());
    const { status, headers: pairs, body: bytes } = await this.request(url, { method, headers: [...headers], body });
    return new Response(Buffer.from(bytes), { status, headers: pairs.map(([name, value]) => [name, value]) });
  }

  /** For just-bash's curl. */
  readonly fetch: SecureFetch = async (url, { method = 'GET', headers = {}, body = '' } = {}) => {
    const sent = { method, headers: Array.from(new Headers(headers)), body: Buffer.from(body, 'utf8') };
    const answer = await this.request(url, sent);
    const named = Object.fromEntries(answer.headers.map(([name, value]) => [name.toLowerCase(), value]));
    return { status: answer.status, statusText: '', headers: named, body: answer.body, url };
  };
}
