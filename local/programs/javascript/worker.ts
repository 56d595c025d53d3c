// A JavaScript interpreter in a worker thread: a program's command line, or a code context, whose cells run one after
// the other in one global scope.
import { workerData } from 'node:worker_threads';
import { JSException } from 'quickjs-wasi';
import type { CallHost } from '../host-calls.ts';
import type { Cell } from '../operations.ts';
import { hostCaller } from '../protocol.ts';
import { importsAsAwaits, isJavaScript, stripTypes } from './syntax.ts';
import { type JavaScriptStart, Vm } from './vm.ts';

function runCells(vm: Vm, call: CallHost): void {
  for (let count = 1; ; count += 1) {
    const cell = call('cell', {});
    if (cell === null) return;
    vm.clearInterrupt();
    const before = vm.call('setEnv', JSON.stringify(cell.envs));
    try {
      vm.call('watchCell', vm.evaluate(importsAsAwaits(javascriptOf(cell)), `<cell ${count}>`)).dispose();
      settle(vm);
    } catch (caught) {
      if (vm.exitCode !== undefined) return;
      const interrupted = vm.interrupted;
      vm.clearInterrupt();
      if (interrupted) failed(call, new Error('The execution was interrupted'));
      else if (caught instanceof JSException) vm.call('failed', caught.handle).dispose();
      else failed(call, caught);
    }
    vm.clearInterrupt();
    vm.forgetRejections();
    vm.call('restoreEnv', before).dispose();
    call('cellDone', {});
  }
}

/** Here and not on the host: swc may take forever, and only a worker can be ended. E2B's kernel takes types in both. */
function javascriptOf({ code, language }: Cell): string {
  if (language === 'javascript' && isJavaScript(code)) return code;
  const stripped = stripTypes(code);
  if ('code' in stripped) return stripped.code;
  if (language === 'javascript') return code;
  throw new SyntaxError(stripped.error);
}

/** Waits for the cell itself only: its servers and timers go on in the next cells. */
function settle(vm: Vm): void {
  do {
    vm.runJobs();
    if (vm.interrupted) throw new Error('interrupted');
    if (vm.ask('cellRuns') === 'false') return;
  } while (vm.ask('turn') === 'true');
  throw new Error('The cell waits for a promise that nothing can settle');
}

function failed(call: CallHost, caught: unknown): void {
  const error = caught instanceof Error ? caught : new Error(String(caught));
  const traceback = `${error.name}: ${error.message}`;
  call('event', { type: 'error', name: error.name, value: error.message, traceback });
}

/** Until the program has ended itself or nothing is left to wait for. */
function runProgram(): void {
  try {
    vm.call('start', starting).dispose();
    do {
      vm.runJobs();
      if (vm.rejection !== undefined) vm.call('uncaught', vm.rejection).dispose();
    } while (vm.exitCode === undefined && vm.ask('turn') === 'true');
  } catch (caught) {
    if (vm.exitCode !== undefined) return;
    if (!(caught instanceof JSException)) throw caught;
    vm.call('uncaught', caught.handle).dispose();
  }
}

const start = workerData as JavaScriptStart;
const { args, cwd, env } = start;
const starting = JSON.stringify({ args, cwd, env });
const call = hostCaller(start);
const vm = await Vm.create(start, call);
if (args === undefined) {
  vm.call('start', starting).dispose();
  runCells(vm, call);
} else {
  runProgram();
  process.exitCode = vm.exitCode ?? Number(vm.ask('exitCode'));
}
