// The runtime's side of what the worker does: names that it calls, by a global it takes away first.
import './globals.ts';
import path from 'path-browserify';
import { isBuiltin, namesOf } from './builtins.ts';
import { $$, showResult } from './display.ts';
import { call } from './host.ts';
import { inspect, showError } from './inspect.ts';
import { turn } from './loop.ts';
import { find, missing, runCommon, sourceOf } from './modules.ts';
import { guestProcess } from './process.ts';

Object.assign(globalThis, { $$ });

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

/** A cell that declares a name again fails as in Node's kernel, in Node's words. */
function reword(error: Error): void {
  const [, name] = /^redeclaration of '(.+)'$/.exec(error.message) ?? [];
  if (name !== undefined) error.message = `Identifier '${name}' has already been declared`;
}

function showFailure(error: unknown): void {
  const isError = error instanceof Error;
  if (isError) reword(error);
  const name = isError ? error.name : typeof error;
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
    if (value !== undefined) showResult(value);
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
