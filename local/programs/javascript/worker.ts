// A JavaScript interpreter in a worker thread: a program's command line, or the cells of a code context.
import { workerData } from 'node:worker_threads';
import { JSException } from 'quickjs-wasi';
import { hostCaller } from '../protocol.ts';
import { runCells } from './cells.ts';
import { type JavaScriptStart, Vm } from './vm.ts';

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
