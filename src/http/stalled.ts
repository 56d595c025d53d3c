// Closes connections whose client has stopped reading. Otherwise the response would be kept in memory forever, and would
// count forever as one of the concurrent requests of its key.
import type { Socket } from 'node:net';
import type { RequestHandler, Response } from 'express';

const SWEEP_MS = 1_000;
/** Shorter than the timeouts of proxies, longer than usual interruptions of a network. */
const STALLED_MS = 15_000;

/** `timeoutMs`: how long a client may read nothing while a response is waiting for it. */
export function closeStalled(timeoutMs = STALLED_MS): RequestHandler {
  const open = new Set<Response>();
  const watched = new WeakSet<Socket>();
  let sweep: NodeJS.Timeout | undefined;

  /** Node's socket timeout counts time without progress. It is set only while there is something to read, not during a run. */
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
