// Every global both surfaces share, and the start and settle functions the engine calls. Installed once, into the image.
import URL from 'core-js-pure/stable/url/index.js';
import URLSearchParams from 'core-js-pure/stable/url-search-params/index.js';
import { gatewayError, call as hostCall, send, settle } from './bridge.ts';
import { bufferGlobals } from './buffer.ts';
import { cloneGlobals } from './clone.ts';
import { installConsole } from './console.ts';
import * as is from './intrinsics.ts';
import { installLocale } from './locale.ts';
import { start } from './outcome.ts';
import { installRandom } from './random.ts';
import { textGlobals } from './text.ts';
import { installTimers } from './timers.ts';

/** What a capability's guest side is given. Frozen; `call` rejects with a GatewayError. */
export type GuestHost = {
  readonly call: (capability: string, args: unknown) => Promise<unknown>;
  readonly define: (name: string, value: unknown) => void;
  readonly error: (code: string, message: string) => Error;
};

export const guestHost: GuestHost = is.freeze({ call: hostCall, define: is.defineGlobal, error: gatewayError });

export function installGlobals(): void {
  installConsole();
  installTimers();
  installRandom();
  installLocale();
  const plain: Record<string, unknown> = { URL, URLSearchParams, ...textGlobals, ...bufferGlobals, ...cloneGlobals };
  for (const name of Object.keys(plain)) is.defineGlobal(name, plain[name]);
  for (const name of ['TextEncoder', 'TextDecoder', 'Buffer'] as const)
    Object.defineProperty(plain[name], 'name', { value: name });
  // Where core-js keeps its own state: its modules hold it, the agent's code has no use for it.
  delete (globalThis as { '__core-js_shared__'?: unknown })['__core-js_shared__'];
  // The image builder takes this away again; no agent code ever sees it.
  is.defineGlobal('__guest', is.freeze({ start, settle, send }));
}
