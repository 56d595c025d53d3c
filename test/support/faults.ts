// Injects faults into local mode, for tests of its callers: responses that are late, wrong, broken or missing.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LocalCloudOptions } from '../../local/server.ts';
import { type Clock, systemClock } from '../../local/time.ts';

export type Fault =
  /** A response instead of the real one. An object is sent as JSON, a string as it is. */
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: unknown }
  /** Delays the request, with its effect. */
  | { readonly delayMs: number }
  /** Resets the connection without a response. */
  | 'reset'
  /** Sends bytes that are not HTTP. */
  | 'garbage'
  /** Sends no response until the server closes. */
  | 'hang';

export type FaultHook = (req: IncomingMessage) => Fault | undefined;

/** An option of local mode, which calls the hook first for each request. */
export const faulty = (onRequest: FaultHook, clock = systemClock): Pick<LocalCloudOptions, 'intercept'> => ({
  async intercept(req, res) {
    const fault = onRequest(req);
    return fault !== undefined && applyFault(fault, req, res, clock);
  },
});

/** True if the request was handled here; otherwise it is handled as usual, perhaps after a delay. */
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
