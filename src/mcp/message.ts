// Normalizes JSON-RPC messages so that the SDK accepts what real clients send: some send null for an absent value,
// others an empty array for an empty object. Pure; every transport uses it.
import { GatewayError } from '../errors.ts';
import { isRecord } from '../ground/json.ts';
import type { JsonLimits } from '../ground/json-size.ts';

/** Limits of a message, which has a few fields, the code as one string, and a small `_meta`. */
export const MESSAGE_SHAPE: Omit<JsonLimits, 'maxBytes'> = {
  maxValues: 20_000,
  maxKeys: 10_000,
  maxDepth: 64,
  maxKeyBytes: 4096,
};

/** @throws GatewayError params_invalid for values of a wrong type */
export function normalizeMessage(message: unknown): unknown {
  if (!isRecord(message) || !('method' in message)) return message;
  const { params, ...rest } = message;
  if (isAbsent(params)) return 'params' in message ? rest : message;
  if (!isRecord(params)) throw new GatewayError('params_invalid', '`params` must be an object.');
  return { ...rest, params: normalizeParams(params) };
}

/** Each progress message repeats the token, so a longer one is ignored. */
export const MAX_PROGRESS_TOKEN_CHARS = 256;

/** Clients written in PHP send an empty object as an empty array. */
const isAbsent = (value: unknown): boolean =>
  value === undefined || value === null || (Array.isArray(value) && value.length === 0);

function normalizeParams(params: Record<string, unknown>): Record<string, unknown> {
  const out = { ...params };
  for (const name of ['cursor', '_meta', 'arguments'] as const) if (isAbsent(out[name])) delete out[name];
  if ('cursor' in out && typeof out['cursor'] !== 'string')
    throw new GatewayError('params_invalid', '`cursor` must be a string that an earlier answer gave; leave it out.');
  if ('arguments' in out && !isRecord(out['arguments']))
    throw new GatewayError('params_invalid', '`arguments` must be an object, e.g. { "code": "async () => 1" }.');
  if (!('_meta' in out)) return out;
  if (!isRecord(out['_meta'])) throw new GatewayError('params_invalid', '`_meta` must be an object.');
  const { progressToken, ...meta } = out['_meta'];
  if (progressToken === null || progressToken === undefined) return { ...out, _meta: meta };
  if (typeof progressToken !== 'string' && !Number.isInteger(progressToken))
    throw new GatewayError('params_invalid', '`_meta.progressToken` must be a string or a whole number.');
  return out;
}

/** The id for the response; null if the message has no valid one. */
export function requestIdIn(message: unknown): string | number | null {
  const id = isRecord(message) ? message['id'] : undefined;
  return typeof id === 'string' || typeof id === 'number' ? id : null;
}
