// E2B's SDK, changed so that its requests to the API use apiFetch. The SDK's own fetch follows redirects to any host
// with the caller's key, reads without limits, and cannot be replaced by an option. The SDK creates its API clients
// with openapi-fetch, which its CommonJS build looks up at each use, so apiFetch is inserted there.
import { apiFetch } from './api-fetch.ts';
import { openapiFetchModule, sdkModule } from './sdk-modules.ts';

type Module = typeof import('@e2b/code-interpreter');
type ClientOptions = { readonly fetch?: unknown };
type CreateClient = (options: ClientOptions) => unknown;
/** Keeps the original function, which must not be wrapped twice if a test runner evaluates this module again. */
const ORIGINAL = Symbol.for('e2b-code-mode.openapi-fetch');
type OpenapiFetch = { default: CreateClient; [ORIGINAL]?: CreateClient };

const openapiFetch = openapiFetchModule as OpenapiFetch;
const sdk = sdkModule as Module;

const createClient = openapiFetch[ORIGINAL] ?? openapiFetch.default;
openapiFetch[ORIGINAL] = createClient;
/** Fetch functions that send to one sandbox through a Wire; clients that are created with one keep it. */
const wireFetches = new WeakSet<object>();
let clients = 0;
openapiFetch.default = options => {
  clients++;
  const { fetch } = options;
  return createClient(
    typeof fetch === 'function' && wireFetches.has(fetch) ? options : { ...options, fetch: apiFetch },
  );
};

/** Marks a fetch function that the SDK's clients for a sandbox keep, so that it is not replaced by apiFetch. */
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
/** A sandbox instance with the methods of the code interpreter. */
export type Sandbox = import('@e2b/code-interpreter').Sandbox;

// sandboxUrl cannot be set to "none" by an option, and without it the SDK would read the environment.
Object.defineProperty(ConnectionConfig, 'sandboxUrl', { get: () => undefined });

// Fails the start if the replacement does not work, because callers' keys would be sent by the SDK's own fetch.
new ApiClient(new ConnectionConfig({ apiKey: 'none', apiUrl: 'http://127.0.0.1:9' }));
if (clients !== 1) throw new Error('The E2B SDK has changed: the fetch of its API clients cannot be replaced.');
