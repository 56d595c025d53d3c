// Reads a body of a few kilobytes as text, whatever type it claims: what is in it, the form or the registration tells.
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
    // The request itself must outlive a refusal: the answer goes out on its socket.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      bytes += (chunk as Buffer).length;
      if (bytes > maxBytes) throw new GatewayError('body_too_large');
      chunks.push(chunk as Buffer);
    }
  } catch (cause) {
    // That it broke off is the caller's fault.
    throw cause instanceof GatewayError ? cause : new GatewayError('body_invalid', undefined, { cause });
  }
  return Buffer.concat(chunks);
}
