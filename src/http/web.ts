// Converts between Node's HTTP objects and the web's Request and Response, which the MCP SDK uses. The body has been parsed
// before and is not turned into text again.
import { once } from 'node:events';
import type { Request as NodeRequest, Response as NodeResponse } from 'express';
import type { BlocksApart } from './apart.ts';

/** What the SDK uses of a Request if it gets the body separately. A real Request takes as long as parsing the message. */
type WebRequest = Pick<Request, 'method' | 'url' | 'headers' | 'signal'>;

/** The request without its body. Its URL is a constant, because a client's target and host may not form a URL. */
export function toWebRequest({ method, headers }: NodeRequest, signal: AbortSignal): Request {
  const web = new Headers();
  for (const [name, value] of Object.entries(headers))
    for (const each of [value].flat()) if (each !== undefined && !OF_THE_BODY.has(name)) web.append(name, each);
  const request: WebRequest = { method, url: 'http://gateway/mcp', headers: web, signal };
  return request as Request;
}

const OF_THE_BODY = new Set(['content-length', 'content-encoding', 'transfer-encoding']);

/** Shared by all requests: without a reason, each abort would create an exception with a stack. */
export const GONE = new Error('the client is gone');

const isStream = (answer: Response): boolean => answer.headers.get('content-type')?.includes('event-stream') === true;

/** `json`: the JSON of a message, which is sent with status 200. */
export type Answer = Response | { readonly json: string };

/** Writes the response as fast as the client reads it. */
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
  response.once('finish', () => apart.freeFilled());
  response.once('close', () => over.abort(GONE));
  try {
    for await (const chunk of chunks)
      for (const piece of apart.fill(chunk)) {
        if (response.destroyed) return;
        if (!response.write(piece)) await once(response, 'drain', { signal: over.signal });
      }
  } catch {
    // The client disconnected, or the run's stream ended early: nobody would read an error.
  }
  response.end();
}
