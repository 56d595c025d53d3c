// GET /metrics, in the format of Prometheus.
import type { RequestHandler } from 'express';

export type MetricsPage = {
  /** Serve it under any Host name; otherwise only under the allowed ones. */
  readonly anyHost: boolean;
  readonly contentType: string;
  text(): Promise<string>;
};

export function serveMetrics(page: MetricsPage): RequestHandler {
  return async (_request, response) => {
    response.set('Content-Type', page.contentType).send(await page.text());
  };
}
