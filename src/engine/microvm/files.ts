// Transfers payloads that are too large for stdin and stdout as files in the run's folder. Their content is untrusted: the
// engine chooses the path, and the announced size is checked before and while reading.
import type { Sandbox } from '../../e2b/sdk.ts';
import { bufferOf, type Utf8 } from '../../ground/json-text.ts';
import type { Limits } from '../engine.ts';
import { KIND } from '../protocol.ts';
import { WireError } from './stdout.ts';

/** UTF-8 has at most three bytes per UTF-16 unit. */
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

/** The maximum size of any payload of a run. */
export const maxFileBytes = (limits: Limits): number =>
  Math.max(...Object.values(KIND).map(kind => maxPayloadBytes(kind, limits)));

/** @throws WireError if the file is not exactly as long as announced; also errors of the SDK */
export async function readPayload(
  sandbox: Sandbox,
  path: string,
  bytes: number,
  signal: AbortSignal,
): Promise<Buffer<ArrayBuffer>> {
  const stream = await sandbox.files.read(path, { format: 'stream', signal });
  const reader = stream.getReader();
  const chunks: Utf8[] = [];
  let got = 0;
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
    got += value?.length ?? 0;
    if (got > bytes) {
      // Not awaited, because a malicious sender may not react to the cancellation.
      void reader.cancel().catch(() => undefined);
      throw new WireError('a file is longer than announced');
    }
    if (value !== undefined) chunks.push(value as Utf8);
  }
  if (got < bytes) throw new WireError('a file is shorter than announced');
  return bufferOf(chunks);
}

export async function writePayload(
  sandbox: Sandbox,
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
  signal: AbortSignal,
): Promise<void> {
  await sandbox.files.write(path, bytes.buffer, { useOctetStream: true, signal });
}
