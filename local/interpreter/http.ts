// The code interpreter's HTTP: cells answered as lines of JSON while they run, and contexts.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { readCapped } from '../../src/ground/read-capped.ts';
import { Refusal } from '../daemon/access.ts';
import { sendJson, sendText, writeAll } from '../daemon/answers.ts';
import type { DataMachine } from '../machine/machine.ts';
import type { CellEvent } from '../programs/operations.ts';
import type { Contexts } from './contexts.ts';

const nullable = <T extends z.ZodType>(schema: T) => schema.nullish().transform(value => value ?? undefined);
const Execute = z.object({
  code: z.string(),
  context_id: nullable(z.string()),
  language: nullable(z.string()),
  env_vars: nullable(z.record(z.string(), z.string())),
});
const Create = z.object({ language: nullable(z.string()), cwd: nullable(z.string()) });

const MAX_BODY_BYTES = 64 * 1024 * 1024;
const KEEPALIVE_MS = 5_000;

export async function answerInterpreter(
  machine: DataMachine,
  url: URL,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  try {
    await route(machine, url.pathname, req, res);
  } catch (caught) {
    if (res.headersSent || !(caught instanceof Refusal)) throw caught;
    req.resume();
    sendText(res, caught.status, caught.message);
  }
}

async function route(machine: DataMachine, path: string, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const [, room = '', id, ...rest] = path.split('/');
  const contexts = machine.contexts as Contexts;
  switch ([`${req.method} /${room}`, ...(id === undefined ? [] : [':id']), ...rest].join('/')) {
    case 'GET /health':
      return sendText(res, 200, 'OK');
    case 'POST /execute':
      return await execute(machine.streams, contexts, await read(Execute, req), res);
    case 'GET /contexts':
      return sendJson(res, 200, contexts.list());
    case 'POST /contexts': {
      const { language, cwd } = await read(Create, req);
      return sendJson(res, 200, (await contexts.create(language, cwd)).shown);
    }
    case 'DELETE /contexts/:id':
      return sendJson(res, 200, (await contexts.remove(id ?? '')) ?? null);
    case 'POST /contexts/:id/restart':
      return sendJson(res, 200, (await contexts.find(id ?? '').restart()) ?? null);
    default:
      throw new Refusal(404, 'Not found');
  }
}

async function execute(
  streams: AbortSignal,
  contexts: Contexts,
  { code, context_id, language, env_vars }: z.infer<typeof Execute>,
  res: ServerResponse,
): Promise<void> {
  if (context_id !== undefined && language !== undefined) {
    throw new Refusal(400, 'Only one of context_id or language can be provided');
  }
  const context = contexts.find(context_id, language);
  const gone = new AbortController();
  res.once('close', () => gone.abort());
  const stop = AbortSignal.any([gone.signal, streams]);
  res.writeHead(200, { 'content-type': 'application/json' });
  let lastMs = performance.now();
  // One whole line a write: the SDK decodes each chunk by itself.
  const line = (event: object): Promise<void> => {
    lastMs = performance.now();
    return writeAll(res, `${JSON.stringify(event)}\n`);
  };
  const keepalive = setInterval(() => {
    if (performance.now() - lastMs >= KEEPALIVE_MS) void line({ type: 'keepalive' });
  }, KEEPALIVE_MS);
  const output = {
    started: (count: number) => void line({ type: 'number_of_executions', execution_count: count }),
    text: (kind: 'stdout' | 'stderr', text: string) => line({ type: kind, text, timestamp: new Date().toISOString() }),
    event: (event: CellEvent) => line(withBareText(event)),
  };
  try {
    await context.execute({ code, envs: env_vars ?? {} }, output, stop);
    // With the sandbox the answer breaks off, without this line.
    if (!streams.aborted) await line({ type: 'end_of_execution' });
  } finally {
    clearInterval(keepalive);
    if (!streams.aborted) res.end();
  }
}

/** The text of a string comes without its quotes: E2B's server cuts one pair. */
function withBareText(event: CellEvent): CellEvent {
  const { text } = event;
  if (typeof text !== 'string' || !/^(['"])(?:.*\1)?$/s.test(text)) return event;
  return { ...event, text: text.slice(1, -1) };
}

/** What is no JSON does not fit the schema either. */
async function read<T extends z.ZodType>(schema: T, req: IncomingMessage): Promise<z.infer<T>> {
  const tooLarge = () => new Refusal(413, 'The request is too large');
  const body = await readCapped(req, { maxBytes: MAX_BODY_BYTES, tooLarge });
  const given: unknown = await new Response(body).json().catch(() => undefined);
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Refusal(422, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid request'}`);
}
