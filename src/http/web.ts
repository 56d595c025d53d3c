// Between Node's HTTP and the web's Request and Response, which the MCP SDK speaks. The body was read before and is not
// turned into text again.
import { once } from 'node:events';
import type { Request as NodeRequest, Response as NodeResponse } from 'express';
import type { BlocksApart } from './apart.ts';

/** What the SDK reads of a Request when it is given the body apart. A real one costs as much as parsing the message. */
type WebRequest = Pick<Request, 'method' | 'url' | 'headers' | 'signal'>;

/** Without its body. Its URL is ours: what a client wrote as target or host may be no URL at all. */
export function toWebRequest({ method, headers }: NodeRequest, signal: AbortSignal): Request {
  const web = new Headers();
  for (const [name, value] of Object.entries(headers))
    for (const each of [value].flat()) if (each !== undefined && !OF_THE_BODY.has(name)) web.append(name, each);
  const request: WebRequest = { method, url: 'http://gateway/mcp', headers: web, signal };
  return request as Request;
}

const OF_THE_BODY = new Set(['content-length', 'content-encoding', 'transfer-encoding']);

/** One for all: without a reason, each abort would make an exception with a stack. */
export const GONE = new Error('the client is gone');

const isStream = (answer: Response): boolean => answer.headers.get('content-type')?.includes('event-stream') === true;

/** `json`: the text of a message, to be sent with status 200. */
export type Answer = Response | { readonly json: string };

/** Written as fast as the client reads. */
export async function sendAnswer(answer: Answer, response: NodeResponse, apart: BlocksApart): Promise<void> {
  if (!(answer instanceof Response)) {
    response.status(200).setHeader('Content-Type', 'application/json');
    if (apart.isEmpty) response.end(answer.json);
    else await sendWhole(Buffer.from(answer.json), response, apart);
    return;
  }
  response.status(answer.status);
  for (const [name, value] of answer.headers) response.setHeader(name, value);
  if (answer.body === null) {
    response.end();
    return;
  }
  if (!isStream(answer)) {
    return sendWhole(new Uint8Array(await answer.arrayBuffer()), response, apart);
  }
  return writeAll(answer.body, response, apart);
}

async function sendWhole(body: Uint8Array, response: NodeResponse, apart: BlocksApart): Promise<void> {
  if (apart.isEmpty) {
    response.end(body);
    return;
  }
  response.setHeader('Content-Length', apart.lengthOf(body));
  await writeAll([body], response, apart);
}

async function writeAll(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  response: NodeResponse,
  apart: BlocksApart,
): Promise<void> {
  const over = new AbortController();
  response.once('close', () => over.abort(GONE));
  try {
    for await (const chunk of chunks)
      for (const piece of apart.fill(chunk)) {
        if (response.destroyed) return;
        if (!response.write(piece)) await once(response, 'drain', { signal: over.signal });
      }
  } catch {
    // The client disconnected, or the run's stream ended early: no one reads an error.
  }
  response.end();
}
