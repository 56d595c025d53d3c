// GET /metrics: the page Prometheus reads. Its text is handed in.
import type { RequestHandler } from 'express';

export type MetricsPage = {
  /** Answer under any Host name; otherwise under the allowed ones only. */
  readonly anyHost: boolean;
  readonly contentType: string;
  text(): Promise<string>;
};

export function serveMetrics(page: MetricsPage): RequestHandler {
  return async (_request, response) => {
    response.set('Content-Type', page.contentType).send(await page.text());
  };
}
