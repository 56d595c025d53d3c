// What a guest prints on its way out: taken without the guest waiting for it, in order, parts of one kind together.
// protocol.ts bounds how much a guest prints ahead.
import { setImmediate } from 'node:timers/promises';
import type { OutputKind } from './operations.ts';

/** `written`: once all that was printed has been. */
export function printer(write: (kind: OutputKind, bytes: Uint8Array) => Promise<void>) {
  const parts: { readonly kind: OutputKind; readonly pieces: Uint8Array[] }[] = [];
  let writing: Promise<void> | undefined;
  const writeAll = async (): Promise<void> => {
    while (parts.length > 0) {
      // What arrives with it goes with it.
      await setImmediate();
      const part = parts.shift();
      // A reader that is gone is no fault of the guest's: the rest is dropped.
      if (part !== undefined) await write(part.kind, Buffer.concat(part.pieces)).catch(() => {});
    }
    writing = undefined;
  };
  const add = (kind: OutputKind, bytes: Uint8Array): void => {
    const last = parts.at(-1);
    if (last?.kind === kind) last.pieces.push(bytes);
    else parts.push({ kind, pieces: [bytes] });
    writing ??= writeAll();
  };
  return { add, written: async (): Promise<void> => writing };
}
