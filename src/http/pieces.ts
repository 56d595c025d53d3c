// Limits the number of chunks in a chunked body. Node needs more time for a chunk than for its bytes: a megabyte in chunks
// of one byte would block the main thread for a second.
import type { IncomingMessage } from 'node:http';

/** Real clients send chunks of kilobytes. */
const MAX_PIECES = 2_000;

const counted = new WeakMap<IncomingMessage, { pieces: number }>();

/** Must be called as soon as the headers are parsed, because the body may be in the same packet. Drops excess chunks. */
export function countPieces(request: IncomingMessage): void {
  if (request.headers['transfer-encoding'] === undefined) return;
  const count = { pieces: 0 };
  counted.set(request, count);
  const push = request.push.bind(request);
  const pushFew: typeof request.push = (piece, encoding) => {
    if (piece !== null) count.pieces++;
    // One chunk more is passed on, so that the reader of the body checks the count.
    return count.pieces > MAX_PIECES + 1 && piece !== null ? false : push(piece, encoding);
  };
  request.push = pushFew;
}

export const hasTooManyPieces = (request: IncomingMessage): boolean => (counted.get(request)?.pieces ?? 0) > MAX_PIECES;
