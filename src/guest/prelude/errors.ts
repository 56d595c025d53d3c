// Describes a thrown value as text: name, message, and its other properties. Never throws itself, even if reading a property
// of the value throws.
import { type FailedPayload, MAX_ERROR_CHARS } from '../../engine/protocol.ts';
import { explainAbsent } from './absent.ts';
import * as is from './intrinsics.ts';
import { ALL_REJECTED, renderValue } from './render.ts';

export function describeThrown(thrown: unknown): FailedPayload {
  if (typeof thrown !== 'object' || thrown === null) return notAnError(thrown);
  const message = textField(thrown, 'message');
  const name = textField(thrown, 'name');
  if (message === undefined || name === undefined) {
    return isError(thrown) ? { name: name ?? 'Error', message: message ?? '', ...stackOf(thrown) } : notAnError(thrown);
  }
  const code = textField(thrown, 'code');
  return {
    name,
    message: is.slice(messageOf(thrown), 0, MAX_ERROR_CHARS),
    ...stackOf(thrown),
    ...(name === 'GatewayError' && code !== undefined ? { code } : {}),
  };
}

function stackOf(thrown: object): { stack?: string } {
  const stack = textField(thrown, 'stack');
  return stack === undefined ? {} : { stack: is.slice(stack, 0, MAX_ERROR_CHARS) };
}

/** The error's message, what to use instead of an absent global, and the error's other properties. */
export function messageOf(thrown: object): string {
  const name = textField(thrown, 'name') ?? 'Error';
  const message = textField(thrown, 'message') ?? '';
  return explainAbsent(name, message === '' && name === 'AggregateError' ? ALL_REJECTED : message) + detailsOf(thrown);
}

const MAX_DETAIL_CHARS = 500;
const MAX_INNER = 10;
const MAX_DEPTH = 4;

/** What an error has beside its message: inner errors, its cause, its own properties. '' for none. */
function detailsOf(thrown: object, depth = 0): string {
  if (depth >= MAX_DEPTH) return '';
  return (
    errorsOf(thrown, depth) +
    labelled('suppressed', fieldOf(thrown, 'suppressed'), depth) +
    labelled('cause', fieldOf(thrown, 'cause'), depth) +
    propertiesOf(thrown)
  );
}

function errorsOf(thrown: object, depth: number): string {
  const errors = fieldOf(thrown, 'errors');
  if (!is.isArray(errors) || errors.length === 0) return '';
  let inner = '';
  for (let i = 0; i < errors.length && i < MAX_INNER; i++)
    inner += `${i > 0 ? '; ' : ''}${i + 1}. ${brief(errors[i], depth)}`;
  const more = errors.length > MAX_INNER ? `; and ${errors.length - MAX_INNER} more` : '';
  return ` [${inner}${more}]`;
}

function labelled(name: string, value: unknown, depth: number): string {
  return value === undefined ? '' : ` (${name}: ${brief(value, depth)})`;
}

function brief(value: unknown, depth: number): string {
  if (typeof value !== 'object' || value === null || !isError(value))
    return is.slice(shown(value), 0, MAX_DETAIL_CHARS);
  const name = textField(value, 'name') ?? 'Error';
  const text = `${name}: ${textField(value, 'message') ?? ''}${detailsOf(value, depth + 1)}`;
  return is.slice(text, 0, MAX_DETAIL_CHARS);
}

const SHOWN_ELSEWHERE = is.freeze({
  __proto__: null,
  name: 1,
  message: 1,
  stack: 1,
  cause: 1,
  errors: 1,
  suppressed: 1,
} as object);

/** The own properties as JSON, without the `code` of a GatewayError, which is sent separately. */
function propertiesOf(thrown: object): string {
  try {
    const names = is.keys(thrown);
    const plain: Record<string, unknown> = is.create(null);
    let count = 0;
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string;
      if (name in SHOWN_ELSEWHERE || (name === 'code' && textField(thrown, 'name') === 'GatewayError')) continue;
      is.define(plain, name, fieldOf(thrown, name));
      count += 1;
    }
    if (count === 0) return '';
    return ` ${renderValue(plain, MAX_DETAIL_CHARS)?.json ?? '{…}'}`;
  } catch {
    return '';
  }
}

function fieldOf(owner: object, name: string): unknown {
  try {
    return (owner as Record<string, unknown>)[name];
  } catch {
    return undefined;
  }
}

function notAnError(thrown: unknown): FailedPayload {
  return { name: 'Error', message: `The code threw a value that is no Error: ${shown(thrown)}` };
}

function shown(value: unknown): string {
  if (value === undefined) return 'undefined';
  try {
    return renderValue(value, 2_000)?.json ?? 'a large object';
  } catch {
    return 'an unreadable object';
  }
}

function isError(thrown: object): boolean {
  try {
    return thrown instanceof is.ErrorCtor;
  } catch {
    return false;
  }
}

function textField(owner: object, name: string): string | undefined {
  const value = fieldOf(owner, name);
  return typeof value === 'string' ? is.slice(value, 0, MAX_ERROR_CHARS) : undefined;
}
