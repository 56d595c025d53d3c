// The control plane as one request handler: who is calling, which route, and errors as E2B words them.
import type { RequestListener } from 'node:http';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import { type Cloud, CloudError } from '../cloud.ts';
import { BuildFiles } from './build-files.ts';
import { eventHandlers, WebhookStore, webhookHandlers } from './events.ts';
import { type Call, type DescribedOperation, operations } from './operation.ts';
import { listHandlers, sandboxHandlers } from './sandboxes.ts';
import { ApiError, authenticate, fromCloud, type Team } from './team.ts';
import { telemetryHandlers } from './telemetry.ts';
import { TemplateStore } from './template-store.ts';
import { snapshotHandlers, templateHandlers } from './templates.ts';
import { type MakeVolume, VolumeStore, volumeContent, volumeHandlers } from './volumes.ts';

export type ControlPlane = { readonly handle: RequestListener; close(): Promise<void> };

const MAX_BODY_BYTES = 16 * 1024 * 1024;
/** Exist, but take other credentials than an API key. */
const NOT_BY_KEY = ['/teams', '/api-keys', '/access-tokens', '/admin', '/nodes'];

/** What the operations of the description do, by their ids. */
type Handle = (call: Call<never, never>) => unknown;

export async function controlPlane(
  cloud: Cloud,
  makeVolume: MakeVolume = async () => undefined,
): Promise<ControlPlane> {
  const templates = new TemplateStore(cloud.clock);
  const volumes = new VolumeStore(makeVolume);
  const files = new BuildFiles();
  const webhooks = new WebhookStore(cloud.warn);
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.get('/health', (_req, res) => void res.status(204).end());
  // Each with a token of its own instead of the key.
  app.all('/volumecontent/:volumeID/:what', volumeContent(volumes));
  app.put('/template-files/:token', files.receive);
  app.use(NOT_BY_KEY, () => {
    throw new ApiError(401, 'authorization header is missing');
  });
  const checkKey: RequestHandler = (req, res, next) => {
    res.locals.team = authenticate(req.headers);
    next();
  };
  const readBody = express.json({ limit: MAX_BODY_BYTES, strict: false });
  const handlers: Readonly<Record<string, Handle>> = {
    ...telemetryHandlers(cloud),
    ...listHandlers(cloud),
    ...sandboxHandlers({ cloud, templates, volumes }),
    ...snapshotHandlers(cloud, templates),
    ...templateHandlers({ cloud, templates, files }),
    ...volumeHandlers(volumes),
    ...eventHandlers(cloud, event => webhooks.deliver(event)),
    ...webhookHandlers(webhooks, () => cloud.clock.now()),
  };
  for (const operation of await operations.get()) {
    const handle = handlers[operation.id];
    if (handle !== undefined) mount(app, [checkKey, readBody], operation, handle);
  }
  app.use(() => {
    throw new ApiError(404, 'no matching operation was found');
  });
  app.use(answerError(cloud.limits.maxRunningPerTeam));
  return {
    handle: app,
    close: () => {
      webhooks.close();
      return templates.close();
    },
  };
}

function mount(app: Express, before: RequestHandler[], operation: DescribedOperation, handle: Handle): void {
  const { method, path, status, check } = operation;
  app[method](path, ...before, async (req, res) => {
    res.status(status);
    const body = await handle({
      ...(check(req.query, req.body) as { query: never; body: never }),
      team: res.locals.team as Team,
      origin: `http://${req.headers.host ?? 'localhost'}`,
      param: name => String(req.params[name]),
      res,
    });
    if (body === undefined) res.end();
    else res.json(body);
  });
}

function answerError(maxRunning: number): ErrorRequestHandler {
  // Four parameters: that is how Express knows an error handler.
  return (caught: unknown, _req, res, _next) => {
    const known = caught instanceof CloudError ? fromCloud(caught, maxRunning) : caught;
    const { status, message, errorCode } = known instanceof ApiError ? known : fromLibrary(known);
    res.status(status).json({ code: status, message, error_code: errorCode });
  };
}

/** Express's own errors carry a 4xx `status`: broken JSON, broken percent encoding, a body too large. */
function fromLibrary(caught: unknown): ApiError {
  const status = caught instanceof Error && 'status' in caught ? caught.status : undefined;
  if (status === 413) return new ApiError(413, 'request body too large');
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new ApiError(400, `validation error: request has an error: ${(caught as Error).message}`);
  }
  return new ApiError(500, 'Internal server error', 'internal_server_error');
}
