// Observes every request: gives it an id, a log line, a span, and a record for the metrics.
import { randomUUID } from 'node:crypto';
import type { RequestHandler, Response } from 'express';
import type { ErrorCode } from '../errors.ts';
import { omitUndefined } from '../ground/omit-undefined.ts';
import type { Logger } from '../log.ts';
import { startRequestSpan } from '../trace.ts';
import { MCP_PATH } from './routes.ts';

export type RequestRecord = {
  readonly method: string;
  /** The label of the route, or `other`. */
  readonly route: string;
  readonly status: number;
  readonly durationMs: number;
};

/** Adds the error code to the log line of the request. */
export const noteCode = (response: Response, code: ErrorCode): void => void Object.assign(response.locals, { code });

/** Clients try whether there is a GET stream; the 405 they get is expected and not logged as a warning. */
const isStreamProbe = (method: string, path: string, status: number) =>
  method === 'GET' && path === MCP_PATH && status === 405;

type ObserveOptions = {
  readonly log: Logger;
  /** Path -> label of its route. */
  readonly labelOf: (path: string) => string;
  readonly onRequest?: (record: RequestRecord) => void;
};

/** The id is generated, because one from a caller could forge log lines. A disconnect before the response counts as 499. */
export function observe({ log, labelOf, onRequest }: ObserveOptions): RequestHandler {
  return (request, response, next) => {
    const startedAt = performance.now();
    const requestId = randomUUID();
    const { method, path } = request;
    const route = labelOf(path);
    const span = startRequestSpan(method, route, request.headers);
    Object.assign(request, { id: requestId });
    response.set('X-Request-Id', requestId);
    response.once('close', () => {
      const status = response.writableFinished ? response.statusCode : 499;
      const durationMs = performance.now() - startedAt;
      const { code } = response.locals as { code?: ErrorCode };
      const line = {
        req: { id: requestId, method, path, ip: request.ip },
        status,
        responseTime: Math.round(durationMs),
        ...omitUndefined({ code }),
      };
      const refused = status >= 400 && !isStreamProbe(method, path, status);
      log[status >= 500 ? 'error' : refused ? 'warn' : 'info'](line, 'request');
      onRequest?.({ method, route, status, durationMs });
      span.end({ 'http.response.status_code': status }, status >= 500 ? `HTTP ${status}` : undefined);
    });
    span.within(next);
  };
}
