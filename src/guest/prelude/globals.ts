// Installs the globals that all tools share (except URL: url.ts), and the functions that the engine calls. Part of the image.
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

/** What the guest side of a capability may use. `call` rejects with a GatewayError. */
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
  for (const [name, value] of Object.entries(plain)) {
    // The bundler may have renamed it.
    if (typeof value === 'function') Object.defineProperty(value, 'name', { value: name });
    is.defineGlobal(name, value);
  }
  // The image builder removes this global before any of the agent's code runs.
  is.defineGlobal('__guest', is.freeze({ start, settle, reject, takeRejections }));
}

/** A stack hook could get the functions of the prelude from the frames, so setting `Error.prepareStackTrace` has no effect. */
function hideFrames(): void {
  Object.defineProperty(Error, 'prepareStackTrace', { get: () => undefined, set: () => undefined });
}
