// console, captured: log/info/debug to stdout, warn/error to stderr, both bounded. Also the only sender of log messages.
import { KIND, STDERR, STDOUT } from '../../engine/protocol.ts';
import { run, send } from './bridge.ts';
import { messageOf } from './errors.ts';
import * as is from './intrinsics.ts';
import { renderValue } from './render.ts';

type Stream = { readonly id: number; used: number };
const stdout: Stream = { id: STDOUT, used: 0 };
const stderr: Stream = { id: STDERR, used: 0 };
let dropped = 0;

function write(stream: Stream, line: string): void {
  const room = run.limits.maxLogChars - stream.used;
  const text = `${line}\n`;
  const kept = text.length <= room ? text : is.slice(text, 0, is.max(room, 0));
  dropped += text.length - kept.length;
  stream.used += kept.length;
  if (kept !== '') send(KIND.log, stream.id, kept);
}

/** Tells the host how much was dropped; once, at the end, so that a flood of logs is no flood of messages. */
export function reportDropped(): void {
  if (dropped > 0) send(KIND.dropped, dropped, '');
  dropped = 0;
}

/** Text for one logged value: strings as they are, errors with their stack, the rest as JSON. */
function show(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === undefined) return 'undefined';
  if (typeof value === 'bigint') return `${is.StringCtor(value)}n`;
  if (typeof value === 'number') return is.StringCtor(value);
  try {
    if (typeof value === 'function') return `[function ${value.name}]`;
    if (value instanceof is.ErrorCtor) return showError(value);
    const rendered = renderValue(value, run.limits.maxLogChars, 'value');
    return rendered === undefined ? '[too long to log]' : rendered.json;
  } catch {
    return '[unprintable]';
  }
}

function showError(error: Error): string {
  const stack = typeof error.stack === 'string' ? `\n${error.stack}` : '';
  return `${is.StringCtor(error.name)}: ${messageOf(error)}${stack}`;
}

/** `%s %d %i %f %j %o %O` in a first string take the next arguments, as everywhere. */
function join(values: readonly unknown[]): string {
  let out = '';
  let next = 0;
  const first = values[0];
  if (typeof first === 'string' && values.length > 1 && is.indexOf(first, '%') >= 0) {
    next = 1;
    for (let i = 0; i < first.length; i++) {
      const mark = first[i] === '%' ? first[i + 1] : undefined;
      if (mark !== undefined && is.indexOf('sdifjoOc', mark) >= 0 && next < values.length) {
        const value = values[next++];
        out +=
          mark === 'c' ? '' : mark === 'd' || mark === 'i' || mark === 'f' ? show(is.NumberCtor(value)) : show(value);
        i++;
      } else if (mark === '%') {
        out += '%';
        i++;
      } else out += first[i];
    }
    if (next < values.length) out += ' ';
  }
  for (let i = next; i < values.length; i++) out += `${i > next ? ' ' : ''}${show(values[i])}`;
  return out;
}

function logger(stream: Stream) {
  return (...values: unknown[]): void => {
    // Once a stream is full its values are not even rendered: only counted, at least.
    if (stream.used >= run.limits.maxLogChars && run.limits.maxLogChars > 0) dropped += sizeOf(values);
    else write(stream, join(values));
  };
}

function sizeOf(values: readonly unknown[]): number {
  let size = 1;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    size += typeof value === 'string' ? value.length : 2;
  }
  return size;
}

export function installConsole(): void {
  const out = logger(stdout);
  const err = logger(stderr);
  const nothing = () => undefined;
  const started = new is.MapCtor<string, number>();
  const counted = new is.MapCtor<string, number>();
  is.defineGlobal('console', {
    log: out,
    info: out,
    debug: out,
    dir: (value: unknown) => out(value),
    table: (value: unknown) => out(value),
    group: (...values: unknown[]) => (values.length > 0 ? is.apply(out, undefined, values) : undefined),
    groupCollapsed: (...values: unknown[]) => (values.length > 0 ? is.apply(out, undefined, values) : undefined),
    groupEnd: nothing,
    count: (label = 'default') => {
      const count = (is.mapGet(counted, label) ?? 0) + 1;
      is.mapSet(counted, label, count);
      out(`${label}: ${count}`);
    },
    time: (label = 'default') => void is.mapSet(started, label, is.now()),
    timeEnd: (label = 'default') => out(`${label}: ${is.now() - (is.mapGet(started, label) ?? is.now())}ms`),
    warn: err,
    error: err,
    trace: err,
    clear: nothing,
    timeLog: (label = 'default') => out(`${label}: ${is.now() - (is.mapGet(started, label) ?? is.now())}ms`),
    countReset: (label = 'default') => void is.mapDelete(counted, label),
    dirxml: out,
    assert: (condition: unknown, ...values: unknown[]) =>
      condition ? undefined : err(`Assertion failed: ${join(values)}`),
  });
}
