// Cursor pagination as E2B does it: time and id of the last item, base64url, in the `X-Next-Token` header. Pure.
import type { Call } from './operation.ts';
import { ApiError } from './team.ts';

export type Order = 'asc' | 'desc';
export type Position = { readonly timeMs: number; readonly id: string };

export function encodeCursor(position: Position, order: Order): string {
  const text = `${new Date(position.timeMs).toISOString()}__${position.id}${order === 'asc' ? '__asc' : ''}`;
  return Buffer.from(text).toString('base64url');
}

/** @throws ApiError 400 for anything but a cursor of the same order */
export function decodeCursor(token: string, order: Order): Position {
  const [time = '', id = '', direction, ...rest] = Buffer.from(token, 'base64url').toString('utf8').split('__');
  const timeMs = Date.parse(time);
  const sameOrder = direction === (order === 'asc' ? 'asc' : undefined);
  if (Number.isNaN(timeMs) || id === '' || !sameOrder || rest.length > 0) throw new ApiError(400, 'Invalid next token');
  return { timeMs, id };
}

function compare(a: Position, b: Position, order: Order): number {
  const byTime = order === 'asc' ? a.timeMs - b.timeMs : b.timeMs - a.timeMs;
  return byTime || Number(a.id > b.id) - Number(a.id < b.id);
}

type PageQuery = { readonly limit?: number; readonly nextToken?: string; readonly order?: Order };

/** Sorts by time (then id), skips to after the cursor, cuts at `limit`. `X-Next-Token` on all pages but the last. */
export function paginate<T>(
  items: readonly T[],
  positionOf: (item: T) => Position,
  { query: { limit, nextToken, order = 'desc' }, res }: Pick<Call<PageQuery>, 'query' | 'res'>,
): T[] {
  const after = nextToken ? decodeCursor(nextToken, order) : undefined;
  const rest = items
    .map(item => ({ item, position: positionOf(item) }))
    .filter(({ position }) => after === undefined || compare(position, after, order) > 0)
    .sort((a, b) => compare(a.position, b.position, order));
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  if (rest.length > page.length && last !== undefined) res.set('x-next-token', encodeCursor(last.position, order));
  return page.map(({ item }) => item);
}
