// What every script finds without asking, and the runtime's side of what the worker does: names that it calls, by a
// global it takes away first.
import { Event, EventTarget } from 'event-target-shim';
import { AbortController, AbortSignal, useTimers } from '../../../../src/guest/prelude/abort.ts';
import { Buffer } from './buffer.ts';
import { $$, showResult } from './display.ts';
import { fetch, Response } from './fetch.ts';
import { call } from './host.ts';
import { inspect, showError } from './inspect.ts';
import { setTimer, timerFunctions, turn } from './loop.ts';
import { moduleSource, requireFrom, resolveModule } from './modules.ts';
import { console, guestProcess } from './process.ts';
import { runProgram, uncaught } from './program.ts';

useTimers((ms, run) => setTimer(run, ms, [], false).unref());

Object.assign(globalThis, {
  $$,
  global: globalThis,
  self: globalThis,
  console,
  process: guestProcess,
  Buffer,
  fetch,
  Response,
  AbortController,
  AbortSignal,
  Event,
  EventTarget,
  require: (name: string) => requireFrom(guestProcess.cwd())(name),
  ...timerFunctions,
});

let cellRuns = false;

/** A cell's completion value comes wrapped, so that a promise stays one. */
async function watchCell(outcome: Promise<{ value?: unknown } | undefined>): Promise<void> {
  cellRuns = true;
  try {
    const value = (await outcome)?.value;
    if (value !== undefined) showResult(value);
  } catch (error) {
    showFailure(error);
  }
  cellRuns = false;
}

function showFailure(error: unknown): void {
  const isError = error instanceof Error;
  if (isError) reword(error);
  const name = isError ? error.name : typeof error;
  const value = isError ? error.message : inspect(error);
  call('event', { type: 'error', name, value, traceback: isError ? showError(error) : `Uncaught ${value}` });
}

/** A cell that declares a name again fails as in Node's kernel, in Node's words. */
function reword(error: Error): void {
  const [, name] = /^redeclaration of '(.+)'$/.exec(error.message) ?? [];
  if (name !== undefined) error.message = `Identifier '${name}' has already been declared`;
}

declare global {
  var __runtime: object | undefined;
}

globalThis.__runtime = {
  start(json: string): void {
    const { args, cwd, env } = JSON.parse(json);
    guestProcess.chdir(cwd);
    guestProcess.env = env;
    if (args !== undefined) void runProgram(args);
  },
  turn,
  uncaught,
  exitCode: () => guestProcess.exitCode ?? 0,
  resolve: resolveModule,
  moduleSource,
  watchCell,
  cellRuns: () => cellRuns,
  failed: showFailure,
  setEnv(json: string): string {
    const before = JSON.stringify(guestProcess.env);
    guestProcess.env = { ...guestProcess.env, ...JSON.parse(json) };
    return before;
  },
  restoreEnv(json: string): void {
    guestProcess.env = JSON.parse(json);
  },
};
