// The guest's console: log, info and debug write to stdout, warn and error to stderr. The beginning of each stream is sent
// at once, its end when the run ends, and what is between them is dropped.
import { KIND, STDERR, STDOUT } from '../../engine/protocol.ts';
import { run, send } from './bridge.ts';
import { messageOf } from './errors.ts';
import * as is from './intrinsics.ts';
import { renderValue } from './render.ts';
import { shorten } from './shorten.ts';

/** `tail`: the end of the output that came after the beginning was full. */
type Stream = { readonly id: number; used: number; tail: string; dropped: number };
const stdout: Stream = { id: STDOUT, used: 0, tail: '', dropped: 0 };
const stderr: Stream = { id: STDERR, used: 0, tail: '', dropped: 0 };
const GAP = '\n…\n';

/** Maximum number of characters kept of a stream's end. */
const tailRoom = (): number => is.floor(run.limits.maxLogChars / 2);

function write(stream: Stream, line: string): void {
  const room = run.limits.maxLogChars - tailRoom() - stream.used;
  const text = `${line}\n`;
  const sent = text.length <= room ? text : is.slice(text, 0, is.max(room, 0));
  stream.used += sent.length;
  if (sent !== '') send(KIND.log, stream.id, sent);
  if (sent.length < text.length) stream.tail += is.slice(text, sent.length);
  if (stream.tail.length > 2 * tailRoom()) cutTail(stream);
}

function cutTail(stream: Stream): void {
  const over = stream.tail.length - tailRoom() + GAP.length;
  stream.dropped += over;
  stream.tail = is.slice(stream.tail, over);
}

/** Sends the ends of the streams and the count of dropped characters. Once per run, so that many logs are few messages. */
export function finishLogs(): void {
  finish(stdout);
  finish(stderr);
  const dropped = stdout.dropped + stderr.dropped;
  if (dropped > 0) send(KIND.dropped, dropped, '');
}

function finish(stream: Stream): void {
  if (stream.tail.length > tailRoom()) cutTail(stream);
  if (stream.tail !== '') send(KIND.log, stream.id, (stream.dropped > 0 ? GAP : '') + stream.tail);
  stream.tail = '';
}

/** The text of a logged value: strings as they are, errors with their stack, other values as JSON. */
function show(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === undefined) return 'undefined';
  if (typeof value === 'bigint') return `${is.StringCtor(value)}n`;
  if (typeof value === 'number') return is.StringCtor(value);
  try {
    if (typeof value === 'function') return `[function ${value.name}]`;
    if (value instanceof is.ErrorCtor) return showError(value);
    return renderValue(value, run.limits.maxLogChars, 'value')?.json ?? shorten(value, run.limits.maxLogChars);
  } catch {
    return '[unprintable]';
  }
}

function showError(error: Error): string {
  const stack = typeof error.stack === 'string' ? `\n${error.stack}` : '';
  return `${is.StringCtor(error.name)}: ${messageOf(error)}${stack}`;
}

/** The text of a call of console.log: `%s %d %i %f %j %o %O %c` in a first string are replaced by the next arguments. */
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
  return (...values: unknown[]): void => write(stream, join(values));
}

export function installConsole(): void {
  const out = logger(stdout);
  const err = logger(stderr);
  const nothing = () => undefined;
  const group = (...values: unknown[]): void => (values.length > 0 ? is.apply(out, undefined, values) : undefined);
  const showTime = (label = 'default'): void =>
    out(`${label}: ${is.now() - (is.mapGet(started, label) ?? is.now())}ms`);
  const started = new is.MapCtor<string, number>();
  const counted = new is.MapCtor<string, number>();
  is.defineGlobal('console', {
    log: out,
    info: out,
    debug: out,
    dir: (value: unknown) => out(value),
    table: (value: unknown) => out(value),
    group,
    groupCollapsed: group,
    groupEnd: nothing,
    count: (label = 'default') => {
      const count = (is.mapGet(counted, label) ?? 0) + 1;
      is.mapSet(counted, label, count);
      out(`${label}: ${count}`);
    },
    time: (label = 'default') => void is.mapSet(started, label, is.now()),
    timeEnd: showTime,
    warn: err,
    error: err,
    trace: err,
    clear: nothing,
    timeLog: showTime,
    countReset: (label = 'default') => void is.mapDelete(counted, label),
    dirxml: out,
    assert: (condition: unknown, ...values: unknown[]) =>
      condition ? undefined : err(`Assertion failed: ${join(values)}`),
  });
}
