// A JavaScript interpreter in a worker thread: a program's command line, or the cells of a code context.
import { workerData } from 'node:worker_threads';
import { hostCaller } from '../protocol.ts';
import { runCells } from './cells.ts';
import { parseCommandLine } from './command-line.ts';
import { absolute, runProgram } from './program.ts';
import { type JavaScriptStart, Vm } from './vm.ts';

const start = workerData as JavaScriptStart;
const { cwd, env } = start;
const call = hostCaller(start);
const vm = await Vm.create(start, call);
const line = start.args === undefined ? undefined : parseCommandLine(start.args);
const args = line === undefined ? [] : line.run === 'file' ? [absolute(line.file, cwd), ...line.args] : line.args;
vm.call('start', JSON.stringify({ args, cwd, env })).dispose();
if (line === undefined) runCells(vm, call);
else process.exitCode = runProgram(vm, call, line, cwd);
