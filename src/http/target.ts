// The target of a request as the router reads it. Clients of proxies send a whole URL; one that the router cannot read it
// would answer by itself, past everything that a request has to pass here.
import type { RequestListener } from 'node:http';

/** Of no route. */
const NOWHERE = '/-';

/** Path and query. Scheme and host of a whole URL are ignored: the Host header is checked. */
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
