// Attacks of one caller that used to block the gateway for everybody. Each is a function of the gateway's URL. Keys are
// invented, so none needs an account.
import type { Target } from '../support/send.ts';
import { post, times, toolCall } from '../support/send.ts';

export type Answer = { readonly body: string | Buffer; readonly type?: string; readonly afterMs?: number };

export type Attack = {
  readonly name: string;
  /** Paths, or methods with paths, that the simulated API answers instead of 404. It is also the daemon of its sandboxes. */
  readonly answers?: Readonly<Record<string, Answer>>;
  /** The bystander's code, if it is not a search. */
  readonly bystander?: string;
  /** The gateway runs execute_read and execute_write in microVMs, and search embedded. */
  readonly microvm?: true;
  readonly send: (target: Target) => Promise<unknown>;
};

/** Code that makes `count` concurrent requests, each by `request` (JavaScript). */
export const requests = (count: number, before: string, request: string) =>
  `async () => { ${before}; return (await Promise.all(Array.from({ length: ${count} }, () => api.request(${request}).catch(e => e.code)))).slice(0, 3) }`;

export const execute = (tool: 'execute_read' | 'execute_write', code: string) => (target: Target) =>
  post(target, toolCall(tool, code));

/** Several callers, each with a run of this code. */
export const eachOf = (count: number, code: string) => (target: Target) =>
  Promise.all(times(count, () => post(target, toolCall('execute_read', `async () => { ${code} }`))));
