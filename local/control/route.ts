// The shape every route of the control plane has: a request already authenticated in, a plain answer out.
import { z } from 'zod';
import type { Team } from './auth.ts';
import { ApiError } from './errors.ts';

export type Call = {
  readonly team: Team;
  /** Where the caller reaches local mode. */
  readonly origin: string;
  /** A path parameter, decoded. */
  param(name: string): string;
  readonly query: Readonly<Record<string, unknown>>;
  /** Undefined when there was none. */
  readonly body: unknown;
};

export type Answer = {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

export type Route = {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  readonly path: string;
  readonly handle: (call: Call) => Answer | Promise<Answer>;
};

export const route = (method: Route['method'], path: string, handle: Route['handle']): Route => ({
  method,
  path,
  handle,
});

/** @throws ApiError 400 */
export function parseBody<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  if (body === undefined) throw new ApiError(400, 'validation error: request body has an error: value is required');
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new ApiError(
    400,
    `validation error: request body has an error: doesn't match schema: Error at "/${(issue?.path ?? []).join('/')}": ${issue?.message}`,
  );
}

/** @throws ApiError 400 */
export function parseQuery<T extends z.ZodType>(schema: T, query: Call['query']): z.output<T> {
  const single = Object.fromEntries(Object.entries(query).map(([name, value]) => [name, one(value)]));
  const parsed = schema.safeParse(single);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new ApiError(
    400,
    `validation error: parameter "${String(issue?.path[0])}" in query has an error: ${issue?.message}`,
  );
}

/** A repeated parameter and a comma list mean the same. */
function one(value: unknown): unknown {
  return Array.isArray(value) ? value.join(',') : value;
}

export const queryInt = (min: number, max: number = Number.MAX_SAFE_INTEGER) =>
  z
    .string()
    .regex(/^-?\d+$/, 'value must be an integer')
    .transform(Number)
    .pipe(z.number().min(min, `number must be at least ${min}`).max(max, `number must be at most ${max}`));

export const queryList = z.string().transform(text => text.split(',').filter(item => item !== ''));
