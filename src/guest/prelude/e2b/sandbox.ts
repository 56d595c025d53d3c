// The global `Sandbox`, with the interface of the official JS SDK, which models know. An instance holds only the sandbox's
// id: every call sends it, and the host decides what is allowed and which token to use.
import type { GuestHost } from '../globals.ts';
import { decodeUtf8 } from '../text.ts';
import { bytesOf, type Call, createCall, dataOf, hide, idOf, named, type Options, plain, revive } from './calls.ts';
import { Commands } from './commands.ts';
import { CODE_CALLBACKS, type Execution, finishExecution } from './execution.ts';
import { Files } from './files.ts';
import { addHints } from './hints.ts';
import { listenTo } from './listening.ts';
import { alsoNamed, OF_SANDBOX } from './misnamed.ts';
import { rejecting, suggestNames } from './names.ts';
import { Pages } from './pages.ts';
import { sleep, waitForPort } from './ports.ts';
import { ALL_TRAFFIC, sdkNames } from './public.ts';

type Made = { readonly sandboxId: string; readonly domain: string };
type Answered = { status: number; statusText: string; headers: Record<string, string>; base64: string };

/** Only this file has this key, so the agent's code cannot call `new Sandbox()` with values of its own. */
const MAKE = Symbol('make');

/** Set by installSandbox when the image is built. */
let call: Call;

class Sandbox {
  readonly sandboxId: string;
  declare readonly sandboxDomain: string;
  declare readonly commands: Commands;
  declare readonly files: Files;

  constructor(made?: unknown, key?: unknown) {
    if (key !== MAKE) throw new TypeError('Use `await Sandbox.create({ … })`, or `await Sandbox.connect(sandboxId)`.');
    const { sandboxId, domain } = made as Made;
    this.sandboxId = sandboxId;
    hide(this, {
      sandboxDomain: domain,
      commands: new Commands(call, sandboxId),
      files: new Files(call, sandboxId),
    });
  }

  // --- Creating and connecting -------------------------------------------------------------------------------------

  static async create(templateOrOptions?: unknown, options?: unknown): Promise<Sandbox> {
    const isNamed = typeof templateOrOptions === 'string';
    const opts = withNetwork((isNamed ? options : (templateOrOptions ?? options)) as Options | undefined);
    const made = await call('create', { ...(isNamed && { template: templateOrOptions }), opts: plain(opts) });
    return new Sandbox(made, MAKE);
  }

  static async connect(sandbox: unknown, options?: unknown): Promise<Sandbox> {
    return new Sandbox(await call('connect', { sandboxId: idOf(sandbox), opts: plain(options) }), MAKE);
  }

  static async fork(sandbox: unknown, options?: unknown): Promise<unknown[]> {
    const forks = (await call('fork', { sandboxId: idOf(sandbox), opts: plain(options) })) as (
      | Made
      | { error: { name: string; message: string } }
    )[];
    return forks.map(made => ('error' in made ? named(made.error.name, made.error.message) : new Sandbox(made, MAKE)));
  }

  static list(options?: unknown): Pages {
    return new Pages(options, opts => call('list', { opts }));
  }
  static listSnapshots(options?: unknown): Pages {
    return new Pages(options, opts => call('listSnapshots', { opts }));
  }
  static deleteSnapshot(snapshotId: unknown, options?: unknown) {
    return call('deleteSnapshot', { snapshotId, opts: plain(options) });
  }

  // --- Static with an id, or on an instance ------------------------------------------------------------------------

  static async getInfo(sandbox: unknown, options?: unknown): Promise<unknown> {
    return alsoNamed(revive(await call('getInfo', { sandboxId: idOf(sandbox), opts: plain(options) })), OF_SANDBOX);
  }
  static async getMetrics(sandbox: unknown, options?: unknown): Promise<unknown> {
    return revive(await call('getMetrics', { sandboxId: idOf(sandbox), opts: plain(options) }));
  }
  static kill(sandbox: unknown, options?: unknown) {
    return call('kill', { sandboxId: idOf(sandbox), opts: plain(options) });
  }
  static betaPause(sandbox: unknown, options?: unknown) {
    return Sandbox.pause(sandbox, options);
  }
  static pause(sandbox: unknown, options?: unknown) {
    return call('pause', { sandboxId: idOf(sandbox), opts: plain(options) });
  }
  static async setTimeout(sandbox: unknown, timeoutMs: unknown, options?: unknown): Promise<void> {
    await call('setTimeout', { sandboxId: idOf(sandbox), timeoutMs, opts: plain(options) });
  }
  static async updateNetwork(sandbox: unknown, network: Options, options?: unknown): Promise<void> {
    if (typeof network !== 'object' || network === null)
      throw new TypeError(
        'updateNetwork(network): give all the rules, e.g. { denyOut: [ALL_TRAFFIC] }; {} clears them.',
      );
    const resolved = plain(selected(network));
    await call('updateNetwork', { sandboxId: idOf(sandbox), network: resolved, opts: plain(options) });
  }
  static createSnapshot(sandbox: unknown, options?: unknown) {
    return call('createSnapshot', { sandboxId: idOf(sandbox), opts: plain(options) });
  }

  connect(options?: unknown) {
    return Sandbox.connect(this, options);
  }
  fork(options?: unknown) {
    return Sandbox.fork(this, options);
  }
  getInfo(options?: unknown) {
    return Sandbox.getInfo(this, options);
  }
  getMetrics(options?: unknown) {
    return Sandbox.getMetrics(this, options);
  }
  isRunning(options?: unknown) {
    return call('isRunning', { sandboxId: this.sandboxId, opts: plain(options) });
  }
  kill(options?: unknown) {
    return Sandbox.kill(this, options);
  }
  pause(options?: unknown) {
    return Sandbox.pause(this, options);
  }
  /** The older name of pause, which the SDK still has. */
  betaPause(options?: unknown) {
    return Sandbox.pause(this, options);
  }
  setTimeout(timeoutMs: unknown, options?: unknown) {
    return Sandbox.setTimeout(this, timeoutMs, options);
  }
  updateNetwork(network: Options, options?: unknown) {
    return Sandbox.updateNetwork(this, network, options);
  }
  createSnapshot(options?: unknown) {
    return Sandbox.createSnapshot(this, options);
  }
  listSnapshots(options?: unknown) {
    return Sandbox.listSnapshots({ ...plain(options), sandboxId: this.sandboxId });
  }

  // --- Code in the sandbox -----------------------------------------------------------------------------------------

  async runCode(code: unknown, options?: unknown): Promise<unknown> {
    const opts = plain(options, Object.keys(CODE_CALLBACKS));
    const listening = listenTo(options, CODE_CALLBACKS);
    const args = { sandboxId: this.sandboxId, code, opts, ...listening?.asked };
    const running = call('runCode', args, listening?.onEvent);
    return finishExecution((await (listening?.until(running) ?? running)) as Execution);
  }
  createCodeContext(options?: unknown) {
    return call('createCodeContext', { sandboxId: this.sandboxId, opts: plain(options) });
  }
  listCodeContexts() {
    return call('listCodeContexts', { sandboxId: this.sandboxId });
  }
  async removeCodeContext(context: unknown): Promise<void> {
    await call('removeCodeContext', { sandboxId: this.sandboxId, context });
  }
  async restartCodeContext(context: unknown): Promise<void> {
    await call('restartCodeContext', { sandboxId: this.sandboxId, context });
  }

  // --- Ports and links ---------------------------------------------------------------------------------------------

  getHost(given: unknown): string {
    const port = typeof given === 'string' && /^\d{1,5}$/.test(given) ? Number(given) : given;
    if (!Number.isInteger(port) || (port as number) < 1 || (port as number) > 65_535) {
      throw new TypeError('getHost(port) needs a port number from 1 to 65535.');
    }
    return `${port}-${this.sandboxId}.${this.sandboxDomain}`;
  }
  waitForPort(port: unknown, options?: unknown): Promise<void> {
    return waitForPort(call, this.sandboxId, port, options);
  }
  downloadUrl(path: unknown, options?: unknown) {
    return call('downloadUrl', { sandboxId: this.sandboxId, path, opts: plain(options) });
  }
  uploadUrl(path?: unknown, options?: unknown) {
    return call('uploadUrl', {
      sandboxId: this.sandboxId,
      ...(path !== undefined && { path }),
      opts: plain(options),
    });
  }
  async fetch(port: unknown, path: unknown = '/', init?: unknown): Promise<unknown> {
    const { body, headers, ...rest } = plain(init, [], ['headers']);
    const given =
      typeof headers === 'object' && headers !== null && Symbol.iterator in headers
        ? Object.fromEntries(headers as Iterable<[string, string]>)
        : headers;
    const opts = {
      ...rest,
      ...(given !== undefined && { headers: given }),
      ...(body !== undefined && body !== null && { body: dataOf(body, 'body') }),
    };
    return response((await call('fetch', { sandboxId: this.sandboxId, port, path, opts })) as Answered);
  }
}

export function installSandbox(host: GuestHost): void {
  call = createCall(host);
  hide(Sandbox, { defaultTemplate: 'code-interpreter-v1' });
  rejecting(Sandbox, ['list', 'listSnapshots']);
  rejecting(Sandbox.prototype, ['getHost', 'getHostname', 'listSnapshots']);
  suggestNames(Sandbox.prototype, 'A sandbox');
  suggestNames(Sandbox, 'Sandbox');
  addHints(Sandbox);
  host.define('Sandbox', Sandbox);
  const names = sdkNames(Sandbox);
  // accept/imports.ts rewrites `setTimeout` of timers/promises to this.
  hide(names.e2b as object, { sleep: (ms: number, value?: unknown) => sleep(ms).then(() => value) });
  for (const name of Object.keys(names)) host.define(name, names[name]);
}

/** Network rules as plain data: calls functions like `({ allTraffic }) => [allTraffic]` and converts Maps, as in the SDK. */
function selected(network: Options | undefined): Options {
  const out: Options = { ...network };
  const rules = out.rules instanceof Map ? Object.fromEntries(out.rules) : out.rules;
  if (rules !== undefined) out.rules = rules;
  for (const name of ['allowOut', 'denyOut']) {
    const select = out[name];
    if (typeof select !== 'function') continue;
    out[name] = select({ allTraffic: ALL_TRAFFIC, rules: new Map(Object.entries((rules ?? {}) as object)) });
  }
  return out;
}

const withNetwork = (options: Options | undefined): Options | undefined =>
  options?.network === undefined ? options : { ...options, network: selected(options.network as Options) };

/** A response with those members of the web's Response that models use. */
function response({ status, statusText, headers, base64 }: Answered): object {
  const bytes = bytesOf(base64);
  const text = () => decodeUtf8(bytes);
  hide(headers, { get: (name: string) => headers[String(name).toLowerCase()] ?? null });
  const answered = { status, ok: status >= 200 && status < 300, headers };
  hide(answered, {
    statusText,
    text: async () => text(),
    json: async () => JSON.parse(text()),
    bytes: async () => bytes,
    arrayBuffer: async () => new Uint8Array(bytes).buffer,
  });
  return answered;
}
