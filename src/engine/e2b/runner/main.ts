// Inside the sandbox, the main thread: frames in and out, and the watch over the guest's thread: CPU and memory. Never
// waits for the guest. Writes synchronously, so that what was said before an end is out before it.
import { readFileSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { KIND } from '../../protocol.ts';
import {
  type EngineFrame,
  FILES,
  INLINE_CHARS,
  INLINE_TOTAL_CHARS,
  MARK,
  type Payload,
  type RunnerEnd,
  type RunnerFrame,
  SMALL_CHARS,
  toAscii,
} from '../wire.ts';
import type { FromThread, Pack, RunnerJob, ThreadData } from './job.ts';

const WATCH_MS = 10;
/** What Node itself may grow by while the guest stays within its limit. */
const SLACK_BYTES = 64 * 1024 * 1024;
const NEARLY_FULL = 0.75;

/** Set by the bootstrap, see bootstrap.ts. */
declare const codeModeRun: { readonly pack: Pack; readonly folder: string };
const { pack, folder } = codeModeRun;
const job = JSON.parse(readFileSync(join(folder, FILES.job), 'utf8')) as RunnerJob;

let written = 0;
let files = 0;
let ended = false;
let startedCpuMs: number | undefined;
let startedRss = 0;

const cpuNowMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const cpuMs = (): number => (startedCpuMs === undefined ? 0 : Math.round(cpuNowMs() - startedCpuMs));

function write(frame: RunnerFrame): void {
  if (ended) return;
  const line = `${MARK}${toAscii(frame)}\n`;
  written += line.length;
  let rest = Buffer.from(line, 'latin1');
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}

/** Tells how the run ended, and says no more. The engine kills the sandbox; nothing here needs to wind down. */
function end(reason: RunnerEnd): void {
  write({ t: 'end', reason, cpuMs: cpuMs() });
  ended = true;
}

function carry(payload: string): Payload {
  const room = written < INLINE_TOTAL_CHARS ? INLINE_CHARS : SMALL_CHARS;
  if (payload.length <= room) return { p: payload };
  const number = ++files;
  const bytes = Buffer.from(payload, 'utf8');
  writeFileSync(join(folder, FILES.fromRunner(number)), bytes);
  return { file: number, bytes: bytes.length };
}

function hear(message: FromThread): void {
  switch (message.type) {
    case 'started':
      startedCpuMs = cpuNowMs();
      startedRss = process.memoryUsage.rss();
      write({ t: 'started' });
      return;
    case 'end':
      end(message.reason);
      return;
    case 'said': {
      const { kind, id, payload } = message;
      write({ t: 'said', kind, id, cpuMs: cpuMs(), ...carry(payload) });
      if (kind === KIND.done || kind === KIND.failed) ended = true;
    }
  }
}

function watch(): void {
  if (startedCpuMs === undefined || ended) return;
  const grownBy = process.memoryUsage.rss() - startedRss;
  if (grownBy > job.memoryBytes + SLACK_BYTES) end('memory');
  // With its memory all but full, what a guest spends its time on is collecting garbage.
  else if (cpuMs() > job.cpuMs) end(grownBy > job.memoryBytes * NEARLY_FULL ? 'memory' : 'cpu');
}

function settle(line: string): void {
  const frame = JSON.parse(line) as EngineFrame;
  const payload = 'p' in frame ? frame.p : readWhole(FILES.toRunner(frame.file), frame.bytes);
  thread.postMessage({ id: frame.id, how: frame.how, payload });
}

function readWhole(name: string, bytes: number): string {
  const path = join(folder, name);
  if (statSync(path).size !== bytes) throw new Error(`${name} is not whole`);
  return readFileSync(path, 'utf8');
}

let partial = '';
process.stdin.setEncoding('latin1').on('data', (chunk: string) => {
  const lines = (partial + chunk).split('\n');
  partial = lines.pop() ?? '';
  for (const line of lines) settle(line);
});

const heapMb = Math.max(16, Math.ceil(job.memoryBytes / 1_048_576));
const { ground, prelude, importMessage, descriptionJson } = pack;
const workerData: ThreadData = {
  pack: { ground, prelude, importMessage, ...(descriptionJson === undefined ? {} : { descriptionJson }) },
  job,
};
// A line of our own first: what the shell's profile printed may not have ended with one.
writeSync(1, '\n');
const thread = new Worker(pack.thread, {
  eval: true,
  workerData,
  env: {},
  stdin: false,
  stdout: true,
  stderr: true,
  resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 },
});
thread.on('message', hear);
thread.on('error', (error: NodeJS.ErrnoException) =>
  end(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'memory' : 'crashed'),
);
thread.on('exit', () => end('crashed'));
setInterval(watch, WATCH_MS);
