// E2B's SDK, with one change: what it sends to the API goes through a fetch of ours. The SDK's own follows redirects, with
// the caller's key, to wherever an answer says, and reads without bounds; no option of it takes another. Its API clients
// are made by openapi-fetch, looked up at each use in the CommonJS build, so that is where ours is put in.
import { apiFetch } from './api-fetch.ts';
import { openapiFetchModule, sdkModule } from './sdk-modules.ts';

type Module = typeof import('@e2b/code-interpreter');
type ClientOptions = { readonly fetch?: unknown };
type CreateClient = (options: ClientOptions) => unknown;
/** The SDK's own is kept: where this module is evaluated again (as by a test runner), ours must not wrap ours. */
const ORIGINAL = Symbol.for('e2b-code-mode.openapi-fetch');
type OpenapiFetch = { default: CreateClient; [ORIGINAL]?: CreateClient };

const openapiFetch = openapiFetchModule as OpenapiFetch;
const sdk = sdkModule as Module;

const createClient = openapiFetch[ORIGINAL] ?? openapiFetch.default;
openapiFetch[ORIGINAL] = createClient;
/** Fetches that reach one sandbox over a wire of ours; clients made with one keep it. */
const wireFetches = new WeakSet<object>();
let clients = 0;
openapiFetch.default = options => {
  clients++;
  const { fetch } = options;
  return createClient(
    typeof fetch === 'function' && wireFetches.has(fetch) ? options : { ...options, fetch: apiFetch },
  );
};

/** Marks a fetch as one that the SDK's clients for a sandbox may use instead of ours for the API. */
export function toWire<F extends object>(fetch: F): F {
  wireFetches.add(fetch);
  return fetch;
}

export const {
  ApiClient,
  AuthenticationError,
  CommandExitError,
  ConnectionConfig,
  NotFoundError,
  RateLimitError,
  Sandbox,
  SandboxError,
  TemplateError,
  TimeoutError,
} = sdk;
export type { CommandHandle, Sandbox as PlainSandbox } from 'e2b';
/** An instance, with the code interpreter's methods. */
export type Sandbox = import('@e2b/code-interpreter').Sandbox;

// The one option that cannot be given as "none": without it the SDK would ask the environment.
Object.defineProperty(ConnectionConfig, 'sandboxUrl', { get: () => undefined });

// Rather no gateway than one whose callers' keys travel by the SDK's own fetch.
new ApiClient(new ConnectionConfig({ apiKey: 'none', apiUrl: 'http://127.0.0.1:9' }));
if (clients !== 1) throw new Error('The E2B SDK makes its API clients in another way: its requests are not ours.');
