// The shape every route of the control plane has: a request already authenticated in, the answer's body out.
import type { Response } from 'express';
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
  /** For headers, and a status that is not the route's own. */
  readonly res: Pick<Response, 'set' | 'status'>;
};

export type Route = {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  readonly path: string;
  readonly status: number;
  /** The answer's body, or a promise of it; undefined for none. */
  readonly handle: (call: Call) => unknown;
};

export const route = (method: Route['method'], path: string, status: number, handle: Route['handle']): Route => ({
  method,
  path,
  status,
  handle,
});

/** @throws ApiError 400 */
export function parseBody<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const fault = 'validation error: request body has an error:';
  if (body === undefined) throw new ApiError(400, `${fault} value is required`);
  const { data, error } = schema.safeParse(body);
  if (error === undefined) return data as z.output<T>;
  const [issue] = error.issues;
  const place = `/${(issue?.path ?? []).join('/')}`;
  throw new ApiError(400, `${fault} doesn't match schema: Error at "${place}": ${issue?.message}`);
}

/** A repeated parameter and a comma list mean the same. @throws ApiError 400 */
export function parseQuery<T extends z.ZodType>(schema: T, query: Call['query']): z.output<T> {
  const joined = Object.entries(query).map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : value]);
  const { data, error } = schema.safeParse(Object.fromEntries(joined));
  if (error === undefined) return data as z.output<T>;
  const [issue] = error.issues;
  const name = String(issue?.path[0]);
  throw new ApiError(400, `validation error: parameter "${name}" in query has an error: ${issue?.message}`);
}

export const queryInt = (min: number, max: number = Number.MAX_SAFE_INTEGER) =>
  z
    .string()
    .regex(/^-?\d+$/, 'value must be an integer')
    .transform(Number)
    .pipe(z.number().min(min, `number must be at least ${min}`).max(max, `number must be at most ${max}`));

export const queryList = z.string().transform(text => text.split(',').filter(item => item !== ''));
