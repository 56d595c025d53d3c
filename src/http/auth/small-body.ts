// Reads a body of a few kilobytes as text and ignores its media type: the caller parses it as a form or as JSON.
import type { Request, RequestHandler } from 'express';
import { GatewayError } from '../../errors.ts';

/** Puts the text into `request.body`. */
export function readText(maxBytes: number): RequestHandler {
  return async (request, _response, next) => {
    const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
    if (encoding !== 'identity') throw new GatewayError('media_type_unsupported');
    request.body = (await read(request, maxBytes)).toString('utf8');
    next();
  };
}

async function read(request: Request, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    // The request must not be destroyed when it is refused, because the response is sent on its socket.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      bytes += (chunk as Buffer).length;
      if (bytes > maxBytes) throw new GatewayError('body_too_large');
      chunks.push(chunk as Buffer);
    }
  } catch (cause) {
    // A request that breaks off is the caller's error.
    throw cause instanceof GatewayError ? cause : new GatewayError('body_invalid', undefined, { cause });
  }
  return Buffer.concat(chunks);
}
