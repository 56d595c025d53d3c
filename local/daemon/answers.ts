// Small HTTP answers that the daemon, the proxy before it and the code interpreter share.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Refusal } from './access.ts';

type Page = NonNullable<Refusal['page']>;

/** Never closes the connection: both planes share it, and a client may be about to use it again. */
export function sendJson(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { 'content-type': 'application/json' });
  res.end(JSON.stringify(body));
}

export function sendText(res: ServerResponse, status: number, text: string): void {
  res.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  res.end(text);
}

/** Resolves when the client can take more, or is gone. */
export function writeAll(res: ServerResponse, bytes: Uint8Array | string): Promise<void> {
  if (res.destroyed || res.writableEnded || res.write(bytes)) return Promise.resolve();
  return new Promise(resolve => {
    const done = (): void => {
      res.off('drain', done).off('close', done);
      resolve();
    };
    res.on('drain', done).on('close', done);
  });
}

/** JSON, and of the proxy's own a page where a person opened the address in a browser. */
export function sendRefusal(req: IncomingMessage, res: ServerResponse, refusal: Refusal): void {
  req.resume();
  const { status, message, page, about } = refusal;
  const json = JSON.stringify({ ...about, message, code: status });
  const asPage = page !== undefined && wantsPage(req);
  const charset = page === undefined ? '' : '; charset=utf-8';
  res.writeHead(status, { 'content-type': `${asPage ? 'text/html' : 'application/json'}${charset}` });
  res.end(asPage ? pageOf(message, page, about.sandboxId) : json);
}

function wantsPage({ headers }: IncomingMessage): boolean {
  const accept = (headers.accept ?? '').toLowerCase();
  if (accept.includes('application/json') && !accept.includes('text/html')) return false;
  const mode = String(headers['sec-fetch-mode'] ?? '').toLowerCase();
  if (['cors', 'no-cors', 'same-origin', 'websocket'].includes(mode)) return false;
  if (mode !== 'navigate' && headers['x-requested-with'] !== undefined) return false;
  return /mozilla|chrome|safari|firefox|edge|opera|msie/i.test(headers['user-agent'] ?? '');
}

function pageOf(message: string, { title, sentence = message }: Page, sandboxId: unknown): string {
  const escaped = (text: string) => text.replace(/[&<>"']/g, each => `&#${each.charCodeAt(0)};`);
  const about = sandboxId === undefined ? '' : `Sandbox ${escaped(String(sandboxId))}, `;
  return `<html lang="en"><head><meta charset="utf-8"><title>${title}</title></head><body><h1>${title}</h1><p>${escaped(sentence)}</p><p>${about}E2B code mode, local mode</p></body></html>`;
}
