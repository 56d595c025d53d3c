// What one caller can send that used to hold up everybody, each a function of the gateway it is sent to. Keys are
// invented: nothing of it needs an account.
import type { Target } from '../support/send.ts';
import { post, times, toolCall } from '../support/send.ts';

export type Answer = { readonly body: string | Buffer; readonly type?: string; readonly afterMs?: number };

export type Attack = {
  readonly name: string;
  /** Paths of the stand-in API, which is the daemon of its sandboxes as well, answered instead of 404. */
  readonly answers?: Readonly<Record<string, Answer>>;
  /** What the bystander runs, where it is not a search. */
  readonly bystander?: string;
  /** The gateway runs execute_read and execute_write in sandboxes of E2B; search stays embedded. */
  readonly microvm?: true;
  readonly send: (target: Target) => Promise<unknown>;
};

/** `count` requests of a run at once, each made by `request` (JavaScript text). */
export const requests = (count: number, before: string, request: string) =>
  `async () => { ${before}; return (await Promise.all(Array.from({ length: ${count} }, () => api.request(${request}).catch(e => e.code)))).slice(0, 3) }`;

export const execute = (tool: 'execute_read' | 'execute_write', code: string) => (target: Target) =>
  post(target, toolCall(tool, code));

/** As many callers, each with a run of this code. */
export const eachOf = (count: number, code: string) => (target: Target) =>
  Promise.all(times(count, () => post(target, toolCall('execute_read', `async () => { ${code} }`))));
