// Payloads too large for stdin and stdout, as files of the run's folder. What comes from there is the guest's: its path
// is ours, its size is announced, checked, and held to while reading.
import type { Sandbox } from '../../e2b/sdk.ts';
import type { Limits } from '../engine.ts';
import { KIND } from '../protocol.ts';
import { WireError } from './stdout.ts';

/** UTF-8 takes at most three bytes for a UTF-16 unit. */
const BYTES_A_CHAR = 3;
const MAX_ERROR_BYTES = 100_000;

export function maxPayloadBytes(kind: number, limits: Limits): number {
  switch (kind) {
    case KIND.call:
      return limits.maxCallChars * BYTES_A_CHAR + 1_000;
    case KIND.done:
      return limits.maxResultChars * 2 * BYTES_A_CHAR + 10_000;
    case KIND.display:
      return limits.maxDisplayBytes * BYTES_A_CHAR;
    case KIND.log:
      return limits.maxLogChars * BYTES_A_CHAR;
    default:
      return MAX_ERROR_BYTES;
  }
}

/** No payload of a run is larger. */
export const maxFileBytes = (limits: Limits): number =>
  Math.max(...Object.values(KIND).map(kind => maxPayloadBytes(kind, limits)));

/** @throws WireError when the file is not exactly as long as announced; whatever the SDK throws */
export async function readPayload(sandbox: Sandbox, path: string, bytes: number, signal: AbortSignal): Promise<string> {
  const stream = await sandbox.files.read(path, { format: 'stream', signal });
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let got = 0;
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
    got += value?.length ?? 0;
    if (got > bytes) {
      // Not awaited: a sender that never ends may not react to the cancellation either.
      void reader.cancel().catch(() => undefined);
      throw new WireError('a file is longer than announced');
    }
    if (value !== undefined) chunks.push(value);
  }
  if (got < bytes) throw new WireError('a file is shorter than announced');
  return Buffer.concat(chunks).toString('utf8');
}

export async function writePayload(
  sandbox: Sandbox,
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
  signal: AbortSignal,
): Promise<void> {
  await sandbox.files.write(path, bytes.buffer, { useOctetStream: true, signal });
}
