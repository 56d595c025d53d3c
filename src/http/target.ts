// Turns the target of a request into a path for the router. Clients of proxies send an absolute URL; the router would
// answer one that it cannot parse by itself, without the checks and headers of the app.
import type { RequestListener } from 'node:http';

/** A path that no route has. */
const NOWHERE = '/-';

/** Path and query. Scheme and host of an absolute URL are ignored, because the Host header is checked. */
function pathOf(target: string): string {
  if (target.startsWith('/') || target === '*') return target;
  try {
    const { pathname, search } = new URL(target);
    return pathname.startsWith('/') ? pathname + search : NOWHERE;
  } catch {
    return NOWHERE;
  }
}

export const withPath =
  (app: RequestListener): RequestListener =>
  (request, response) => {
    request.url = pathOf(request.url ?? '');
    app(request, response);
  };
