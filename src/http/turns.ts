// Requests that arrive together begin in turns: the event loop turns between them, and whoever asks whether the process
// lives is answered meanwhile. Nothing of a request has been checked yet: what it calls itself decides whose turn it is.
import type { RequestListener } from 'node:http';
import type { HostTurns } from '../ground/host-turns.ts';

const PROBES = new Set(['/healthz', '/readyz']);

export function inTurns(listener: RequestListener, turns: HostTurns): RequestListener {
  return (request, response) => {
    const begin = () => listener(request, response);
    if (turns.isFree || PROBES.has(request.url ?? '')) return begin();
    const { authorization, 'x-api-key': apiKey } = request.headers;
    const principalId = authorization ?? String(apiKey ?? request.socket.remoteAddress);
    const owner = { principalId, name: 'a request' };
    void turns.pass(owner).then(() => {
      // The client may have disconnected meanwhile.
      if (!response.destroyed) begin();
    });
  };
}
