// What a cell shows: its value, and what it shows itself by `$$`. The protocol of ijavascript, the Node kernel of E2B's
// template.
import { Buffer } from './buffer.ts';
import { call } from './host.ts';
import { inspect } from './inspect.ts';

type Mimes = Record<string, unknown>;

const BY_NAME: Readonly<Record<string, string>> = {
  text: 'text/plain',
  html: 'text/html',
  svg: 'image/svg+xml',
  png: 'image/png',
  jpeg: 'image/jpeg',
  json: 'application/json',
};

/** A value shows itself by methods such as _toHtml. */
const METHODS = ['Html', 'Svg', 'Png', 'Jpeg'];

function mimesOf(value: unknown): Mimes {
  const methods = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const made = (name: string): unknown => {
    const method = methods[name];
    return typeof method === 'function' ? method.call(value) : undefined;
  };
  const mimes: Mimes = { ...(made('_toMime') as Mimes | undefined) };
  mimes['text/plain'] ??= inspect(value);
  for (const name of METHODS) mimes[BY_NAME[name.toLowerCase()] ?? ''] ??= made(`_to${name}`);
  return mimes;
}

function emit(mimes: Mimes, isMainResult: boolean): void {
  const shown = Object.entries(mimes).map(([mime, content]) => [
    mime,
    content instanceof Uint8Array ? Buffer.from(content).toString('base64') : content,
  ]);
  call('event', { ...Object.fromEntries(shown), type: 'result', is_main_result: isMainResult });
}

/** A cell's own value. */
export function showResult(value: unknown): void {
  emit(mimesOf(value), true);
}

const send =
  (toMimes: (content: unknown) => Mimes, isMainResult: boolean) =>
  (content: unknown): void => {
    if (content instanceof Promise) void content.then(settled => emit(toMimes(settled), isMainResult));
    else emit(toMimes(content), isMainResult);
  };
const as = (mime: string) => (content: unknown) => ({ [mime]: content });

const senders = (isMainResult: boolean) => ({
  mime: send(content => content as Mimes, isMainResult),
  ...Object.fromEntries(Object.entries(BY_NAME).map(([name, mime]) => [name, send(as(mime), isMainResult)])),
});

export const $$ = { ...senders(true), sendResult: send(mimesOf, true), display: () => senders(false) };
