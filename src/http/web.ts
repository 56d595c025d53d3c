// Between Node's HTTP and the web's Request and Response, which the MCP SDK speaks. The body was read before and is not
// turned into text again.
import { once } from 'node:events';
import type { Request as NodeRequest, Response as NodeResponse } from 'express';
import type { BlocksApart } from './apart.ts';

/** A Request without its body. Its URL is ours: what a client wrote as target or host may be no URL at all. */
export function toWebRequest({ method, headers }: NodeRequest, signal: AbortSignal): Request {
  const web = new Headers();
  for (const [name, value] of Object.entries(headers))
    for (const each of [value].flat()) if (each !== undefined && !OF_THE_BODY.has(name)) web.append(name, each);
  return new Request('http://gateway/mcp', { method, headers: web, signal });
}

const OF_THE_BODY = new Set(['content-length', 'content-encoding', 'transfer-encoding']);

/** One for all: without a reason, each abort would make an exception with a stack. */
export const GONE = new Error('the client is gone');

const isStream = (answer: Response): boolean => answer.headers.get('content-type')?.includes('event-stream') === true;

/** Written as fast as the client reads. */
export async function sendWebResponse(answer: Response, response: NodeResponse, apart: BlocksApart): Promise<void> {
  response.status(answer.status);
  for (const [name, value] of answer.headers) response.setHeader(name, value);
  if (answer.body === null) {
    response.end();
    return;
  }
  if (!isStream(answer)) {
    const body = new Uint8Array(await answer.arrayBuffer());
    if (apart.isEmpty) {
      response.end(body);
      return;
    }
    response.setHeader('Content-Length', apart.lengthOf(body));
    return writeAll([body], response, apart);
  }
  return writeAll(answer.body, response, apart);
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
