// Calls from the guest's Intl to the host's. A message is a description of the object, a line end, and the call, both as
// JSON. The host checks everything; this file keeps no state.
import { KIND } from '../../../engine/protocol.ts';
import * as is from '../intrinsics.ts';

type Send = (kind: number, id: number, payload: string) => string | undefined;
type Answer = { readonly value?: unknown; readonly error?: string; readonly message?: string };

/** Taken while the image is built, before the bridge removes the global. */
const send = (globalThis as { __send?: Send }).__send as Send;

/** The description in calls that belong to no object. */
export const GENERAL = '';

/** Sends a message and returns the raw response. */
export function sendRaw(message: string): string {
  const answer = send(KIND.intl, 0, message);
  if (answer === undefined) throw new is.ErrorCtor('the run is over');
  return answer;
}

/** @throws RangeError, TypeError: with the message of the host's Intl */
export function ask(spec: string, call: readonly unknown[]): unknown {
  const { value, error, message } = is.parse(sendRaw(`${spec}\n${is.stringify(call)}`)) as Answer;
  if (error === undefined) return value;
  throw error === 'TypeError' ? new is.TypeErrorCtor(message) : new RangeError(message);
}

/** A number, BigInt or decimal text in the form that the host reads. */
export function numeric(value: unknown): string {
  if (typeof value === 'bigint') return `b${value}`;
  if (typeof value === 'string') return `s${value}`;
  return number(value);
}

/** Any value, converted to a number, in the form that the host reads. */
export const number = (value: unknown): string => {
  const converted = +(value as number);
  return Object.is(converted, -0) ? 'n-0' : `n${converted}`;
};

type Kind = 'text' | 'flag' | 'number' | 'either';
export type OptionKinds = Readonly<Record<string, Kind>>;

/** `style useGrouping:either`: options in the order in which they are read. Without a kind, an option is text. */
export const optionKinds = (...rows: readonly string[]): OptionKinds =>
  Object.fromEntries(
    rows
      .join(' ')
      .split(' ')
      .map(option => {
        const [name = '', kind = 'text'] = option.split(':');
        return [name, kind as Kind];
      }),
  );

/** The known options as plain values. Getters run here, in the guest. */
export function plainOptions(options: unknown, kinds: OptionKinds): Record<string, string | boolean> {
  const plain: Record<string, string | boolean> = {};
  if (options === undefined) return plain;
  if (options === null) throw new is.TypeErrorCtor('Cannot convert undefined or null to object');
  for (const name of is.keys(kinds)) {
    const value = (options as Record<string, unknown>)[name];
    if (value === undefined) continue;
    const kind = kinds[name];
    if (kind === 'flag') plain[name] = Boolean(value);
    else if (kind === 'either' && typeof value === 'boolean') plain[name] = value;
    else plain[name] = kind === 'number' ? `${+(value as number)}` : `${value as string}`;
  }
  return plain;
}

const DEFAULT_LOCALE = 'en-US';

/** The locales as a list of tags; empty for undefined. */
export function localeList(locales: unknown): string[] {
  if (locales === undefined) return [];
  if (typeof locales === 'string') return [locales];
  if (locales === null) throw new is.TypeErrorCtor('Incorrect locale information provided');
  if (isLocale(locales)) return [`${locales}`];
  const { length } = locales as ArrayLike<unknown>;
  const list: string[] = [];
  for (let i = 0; i < length; i++) {
    if (!(i in (locales as object))) continue;
    const locale = (locales as ArrayLike<unknown>)[i];
    if (typeof locale !== 'string' && (typeof locale !== 'object' || locale === null))
      throw new is.TypeErrorCtor('Incorrect locale information provided');
    list.push(`${locale as string}`);
  }
  return list;
}

const isLocale = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && Object.prototype.toString.call(value) === '[object Intl.Locale]';

/** The description of an object for the host. */
export function specOf(type: string, locales: unknown, options: object): string {
  const list = localeList(locales);
  return is.stringify([type, list.length === 0 ? [DEFAULT_LOCALE] : list, options]);
}
