// The runtime's side of what the worker does: names that it calls, by a global it takes away first.
import './globals.ts';
import { Buffer } from './buffer.ts';
import { call } from './host.ts';
import { inspect, showError } from './inspect.ts';
import { turn } from './loop.ts';
import { find, isBuiltin, missing, namesOf, runCommon, sourceOf } from './modules.ts';
import * as path from './path.ts';
import { guestProcess } from './process.ts';

const MIMES: Readonly<Record<string, string>> = {
  'text/plain': 'text',
  'text/html': 'html',
  'text/markdown': 'markdown',
  'image/svg+xml': 'svg',
  'image/png': 'png',
  'image/jpeg': 'jpeg',
  'application/pdf': 'pdf',
  'text/latex': 'latex',
  'application/json': 'json',
  'application/javascript': 'javascript',
  'e2b/chart': 'chart',
  'e2b/data': 'data',
};
const DISPLAY = Symbol.for('Jupyter.display');

/** A value's formats: Deno's protocol, else how it looks in a log. */
function bundle(value: unknown): Record<string, unknown> {
  const make = typeof value === 'object' && value !== null && DISPLAY in value ? value[DISPLAY] : undefined;
  if (typeof make !== 'function') return { text: inspect(value) };
  return fromMimes(make.call(value) as Record<string, unknown>);
}

function fromMimes(data: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(data).map(([mime, content]) => [
      MIMES[mime] ?? mime,
      content instanceof Uint8Array ? Buffer.from(content).toString('base64') : content,
    ]),
  );
}

function emit(shown: Record<string, unknown>, main: boolean): void {
  call('event', { ...shown, type: 'result', is_main_result: main });
}

function display(value: unknown, options?: { raw?: boolean }): void {
  const mimes =
    typeof value === 'object' &&
    value !== null &&
    Object.keys(value).length > 0 &&
    Object.keys(value).every(key => key in MIMES);
  emit(options?.raw === true || mimes ? fromMimes(value as Record<string, unknown>) : bundle(value), false);
}

const tagged =
  (mime: string) =>
  (parts: TemplateStringsArray, ...values: unknown[]) => ({
    [DISPLAY]: () => ({ [mime]: String.raw({ raw: parts }, ...values) }),
  });

Object.assign(globalThis, {
  display,
  Deno: {
    jupyter: {
      display: async (value: unknown, options?: { raw?: boolean }) => display(value, options),
      html: tagged('text/html'),
      md: tagged('text/markdown'),
      svg: tagged('image/svg+xml'),
    },
  },
});

/** What the program or cell itself comes to. */
let outcome: { state: 'pending' } | { state: 'done'; value: unknown } | { state: 'failed'; error: unknown } = {
  state: 'pending',
};

function watch(value: unknown): void {
  outcome = value instanceof Promise ? { state: 'pending' } : { state: 'done', value };
  if (!(value instanceof Promise)) return;
  value.then(
    result => {
      outcome = { state: 'done', value: result };
    },
    error => {
      outcome = { state: 'failed', error };
    },
  );
}

function showUncaught(error: unknown): void {
  guestProcess.stderr.write(`Uncaught ${error instanceof Error ? showError(error) : inspect(error)}\n`);
}

function showFailure(error: unknown): void {
  const isError = error instanceof Error;
  const name = isError ? error.name : 'Error';
  const value = isError ? error.message : inspect(error);
  call('event', { type: 'error', name, value, traceback: isError ? showError(error) : `Uncaught ${value}` });
}

declare global {
  var __runtime: object | undefined;
}

globalThis.__runtime = {
  turn,
  start(json: string): void {
    const { args, cwd, env } = JSON.parse(json);
    guestProcess.chdir(cwd);
    guestProcess.env = env;
    guestProcess.argv = ['/usr/local/bin/node', ...args];
  },
  watch,
  state: () => outcome.state,
  uncaught: (error: unknown) => showUncaught(error),
  uncaughtOutcome: () => showUncaught(outcome.state === 'failed' ? outcome.error : undefined),
  exitCode: () => guestProcess.exitCode ?? 0,
  runCommon: (source: string, file: string) => runCommon(source, file, { exports: {} }),
  resolve: (base: string, name: string): string => {
    if (isBuiltin(name)) return `node:${name.replace(/^node:/, '')}`;
    const found = find(path.dirname(base), name.replace(/^file:\/\//, ''));
    if (found === undefined) throw new Error(missing(name));
    return found;
  },
  moduleSource: (name: string): string => {
    if (name.endsWith('.json')) return `export default ${sourceOf(name)}`;
    if (!name.startsWith('node:'))
      return sourceOf(name).replaceAll('import.meta.url', JSON.stringify(`file://${name}`));
    const plain = name.slice(5);
    const names = namesOf(plain);
    const parts = names.map((key, at) => `${key}: v${at}`).join(', ');
    const exported = names.map((key, at) => `v${at} as ${key}`).join(', ');
    return `const m = require(${JSON.stringify(plain)}); const { ${parts} } = m; export { m as default, ${exported} };`;
  },
  /** Of a cell: its completion value comes wrapped, so that a promise stays one. */
  result: (): void => {
    const value = outcome.state === 'done' ? (outcome.value as { value?: unknown } | undefined)?.value : undefined;
    if (value !== undefined) emit(bundle(value), true);
  },
  failed: (error: unknown) => showFailure(error),
  failedOutcome: () => showFailure(outcome.state === 'failed' ? outcome.error : undefined),
  setEnv: (json: string): string => {
    const before = JSON.stringify(guestProcess.env);
    guestProcess.env = { ...guestProcess.env, ...JSON.parse(json) };
    return before;
  },
  restoreEnv: (json: string): void => {
    guestProcess.env = JSON.parse(json);
  },
};
