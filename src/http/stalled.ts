// Closes connections whose client has stopped reading: an answer that is not read would be kept without end, and so
// would its place among the requests of its key.
import type { Socket } from 'node:net';
import type { RequestHandler, Response } from 'express';

const SWEEP_MS = 1_000;
/** Shorter than a proxy's own patience, longer than a network may stop for. */
const STALLED_MS = 15_000;

/** `timeoutMs`: how long the client may take nothing of what is there for it. */
export function closeStalled(timeoutMs = STALLED_MS): RequestHandler {
  const open = new Set<Response>();
  const watched = new WeakSet<Socket>();
  let sweep: NodeJS.Timeout | undefined;

  /** Node's socket timeout counts only time without progress. It must not run while a run is merely not done yet. */
  const look = () => {
    for (const { socket, writableLength, writableFinished } of open) {
      if (socket === null) continue;
      const waits = !writableFinished && (writableLength > 0 || socket.writableLength > 0);
      if (waits && !watched.has(socket)) {
        watched.add(socket);
        socket.setTimeout(timeoutMs, () => socket.destroy());
      } else if (!waits && watched.delete(socket)) socket.setTimeout(0);
    }
  };

  return (_request, response, next) => {
    open.add(response);
    sweep ??= setInterval(look, SWEEP_MS).unref();
    response.once('close', () => {
      open.delete(response);
      if (open.size > 0) return;
      clearInterval(sweep);
      sweep = undefined;
    });
    next();
  };
}
