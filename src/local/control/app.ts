// The control plane as one request handler: who is calling, which route, and errors as E2B words them.
import type { RequestListener } from 'node:http';
import express from 'express';
import type { Cloud } from '../cloud.ts';

export function controlPlane(_cloud: Cloud): RequestListener {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.get('/health', (_req, res) => {
    res.status(204).end();
  });
  return app;
}
