// Faults on purpose, for tests of whoever calls local mode: answers that are late, wrong, broken or missing.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, systemClock } from '../../local/clock.ts';
import type { LocalCloudOptions } from '../../local/server.ts';

export type Fault =
  /** An answer instead of the real one. An object is sent as JSON, a string as it is. */
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: unknown }
  /** The real answer, later. The work itself is also done later. */
  | { readonly delayMs: number }
  /** The connection is reset without an answer. */
  | 'reset'
  /** Bytes that are not HTTP. */
  | 'garbage'
  /** No answer, ever (until the server closes). */
  | 'hang';

export type FaultHook = (req: IncomingMessage) => Fault | undefined;

/** As an option of local mode: it asks the hook before it does anything else with a request. */
export const faulty = (onRequest: FaultHook, clock = systemClock): Pick<LocalCloudOptions, 'intercept'> => ({
  async intercept(req, res) {
    const fault = onRequest(req);
    return fault !== undefined && applyFault(fault, req, res, clock);
  },
});

/** True when the request was dealt with here; otherwise it goes its ordinary way, perhaps delayed. */
async function applyFault(fault: Fault, req: IncomingMessage, res: ServerResponse, clock: Clock): Promise<boolean> {
  if (fault === 'hang') return true;
  if (fault === 'reset') {
    req.socket.resetAndDestroy();
    return true;
  }
  if (fault === 'garbage') {
    req.socket.end('\x00\x01 not http at all\r\n\r\n');
    return true;
  }
  if ('delayMs' in fault) {
    await new Promise<void>(resolve => clock.after(fault.delayMs, resolve));
    return req.socket.destroyed;
  }
  const text = typeof fault.body === 'string' ? fault.body : fault.body === undefined ? '' : JSON.stringify(fault.body);
  res.writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers });
  res.end(text);
  return true;
}
