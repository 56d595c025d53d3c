// Every global both surfaces share (but URL, see url.ts), and the start and settle functions the engine calls. Installed once, into the image.
import { call as hostCall, type OnEvent, settle } from './bridge.ts';
import { bufferGlobals } from './buffer/buffer.ts';
import { cloneGlobals } from './clone.ts';
import { installConsole } from './console.ts';
import * as is from './intrinsics.ts';
import { start } from './outcome.ts';
import { installRandom } from './random.ts';
import { reject, takeRejections } from './rejections.ts';
import { textGlobals } from './text-coders.ts';
import { installTimers } from './timers.ts';
import { webGlobals } from './web.ts';

/** What a capability's guest side is given. Frozen; `call` rejects with a GatewayError. */
export type GuestHost = {
  readonly call: (capability: string, args: unknown, onEvent?: OnEvent) => Promise<unknown>;
  readonly define: (name: string, value: unknown) => void;
};

export const guestHost: GuestHost = is.freeze({ call: hostCall, define: is.defineGlobal });

export function installGlobals(): void {
  hideFrames();
  installConsole();
  installTimers();
  installRandom();
  const plain: Record<string, unknown> = { ...textGlobals, ...bufferGlobals, ...cloneGlobals, ...webGlobals };
  for (const name of Object.keys(plain)) is.defineGlobal(name, plain[name]);
  for (const name of [
    'TextEncoder',
    'TextDecoder',
    'Buffer',
    'AbortController',
    'AbortSignal',
    'Blob',
    'Headers',
  ] as const)
    Object.defineProperty(plain[name], 'name', { value: name });
  // The image builder takes this away again; no agent code ever sees it.
  is.defineGlobal('__guest', is.freeze({ start, settle, reject, takeRejections }));
}

/** A hook on stacks would be handed the functions of the prelude. Whoever sets one finds nothing changed. */
function hideFrames(): void {
  Object.defineProperty(Error, 'prepareStackTrace', { get: () => undefined, set: () => undefined });
}
