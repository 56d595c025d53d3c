// The global `Sandbox`, with the interface of the official JS SDK, which models know. An instance holds only the sandbox's
// id: every call sends it, and the host decides what is allowed and which token to use.
import type { GuestHost } from '../globals.ts';
import * as is from '../intrinsics.ts';
import { decodeUtf8 } from '../text.ts';
import { type Call, createCall, dataOf, hide, idOf, named, type Options, plain, revive } from './calls.ts';
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

/** Calls a method of a sandbox, given as its id or as an object with it. */
const ask = (method: string, sandbox: unknown, options: unknown, args: object = {}): Promise<unknown> =>
  call(method, { sandboxId: idOf(sandbox), ...args, opts: plain(options) });

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
    return new Sandbox(await ask('connect', sandbox, options), MAKE);
  }

  static async fork(sandbox: unknown, options?: unknown): Promise<unknown[]> {
    const forks = (await ask('fork', sandbox, options)) as (Made | { error: { name: string; message: string } })[];
    return forks.map(made => ('error' in made ? named(made.error.name, made.error.message) : new Sandbox(made, MAKE)));
  }

  static list(options?: unknown): Pages {
    return new Pages(options, opts => call('list', { opts }));
  }
  static listSnapshots(options?: unknown): Pages {
    return new Pages(options, opts => call('listSnapshots', { opts }));
  }
  listSnapshots(options?: unknown) {
    return Sandbox.listSnapshots({ ...plain(options), sandboxId: this.sandboxId });
  }
  static deleteSnapshot(snapshotId: unknown, options?: unknown) {
    return call('deleteSnapshot', { snapshotId, opts: plain(options) });
  }

  // --- Static with an id, or on an instance: see ON_INSTANCES ------------------------------------------------------

  static async getInfo(sandbox: unknown, options?: unknown): Promise<unknown> {
    return alsoNamed(revive(await ask('getInfo', sandbox, options)), OF_SANDBOX);
  }
  static async getMetrics(sandbox: unknown, options?: unknown): Promise<unknown> {
    return revive(await ask('getMetrics', sandbox, options));
  }
  static kill(sandbox: unknown, options?: unknown) {
    return ask('kill', sandbox, options);
  }
  static pause(sandbox: unknown, options?: unknown) {
    return ask('pause', sandbox, options);
  }
  /** The older name of pause, which the SDK still has. */
  static betaPause(sandbox: unknown, options?: unknown) {
    return Sandbox.pause(sandbox, options);
  }
  static async setTimeout(sandbox: unknown, timeoutMs: unknown, options?: unknown): Promise<void> {
    await ask('setTimeout', sandbox, options, { timeoutMs });
  }
  static async updateNetwork(sandbox: unknown, network: Options, options?: unknown): Promise<void> {
    if (typeof network !== 'object' || network === null)
      throw new TypeError(
        'updateNetwork(network): give all the rules, e.g. { denyOut: [ALL_TRAFFIC] }; {} clears them.',
      );
    await ask('updateNetwork', sandbox, options, { network: plain(selected(network)) });
  }
  static createSnapshot(sandbox: unknown, options?: unknown) {
    return ask('createSnapshot', sandbox, options);
  }
  isRunning(options?: unknown) {
    return ask('isRunning', this.sandboxId, options);
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
    return ask('createCodeContext', this.sandboxId, options);
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
    return ask('downloadUrl', this.sandboxId, options, { path });
  }
  uploadUrl(path?: unknown, options?: unknown) {
    return ask('uploadUrl', this.sandboxId, options, path === undefined ? {} : { path });
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

/** Instances have these methods, too: the static ones, with the instance as the first argument. */
const ON_INSTANCES = [
  ...(['connect', 'fork', 'getInfo', 'getMetrics', 'kill', 'pause', 'betaPause'] as const),
  ...(['setTimeout', 'updateNetwork', 'createSnapshot'] as const),
];
for (const name of ON_INSTANCES)
  hide(Sandbox.prototype, {
    [name](this: Sandbox, ...args: unknown[]) {
      return (Sandbox[name] as (sandbox: Sandbox, ...args: unknown[]) => unknown)(this, ...args);
    },
  });

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
  const bytes = is.fromBase64(base64);
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
