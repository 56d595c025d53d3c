// How many pieces a body may come in. Each chunk of a chunked body costs Node more than most of what is done with its
// bytes: a megabyte in chunks of a byte is a second of the main thread.
import type { IncomingMessage } from 'node:http';

/** Clients send chunks of kilobytes. */
const MAX_PIECES = 2_000;

const counted = new WeakMap<IncomingMessage, { pieces: number }>();

/** From the moment when the headers are there: the body may be in the same packet. Pieces beyond the limit are dropped. */
export function countPieces(request: IncomingMessage): void {
  if (request.headers['transfer-encoding'] === undefined) return;
  const count = { pieces: 0 };
  counted.set(request, count);
  const push = request.push.bind(request);
  request.push = (piece, encoding) => {
    if (piece !== null) count.pieces++;
    // One more is passed on: whoever waits for it looks at the count.
    return count.pieces > MAX_PIECES + 1 && piece !== null ? false : push(piece, encoding);
  };
}

export const hasTooManyPieces = (request: IncomingMessage): boolean => (counted.get(request)?.pieces ?? 0) > MAX_PIECES;
