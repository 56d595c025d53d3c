// The runner's main thread in the sandbox: runs the guest, and exchanges frames with the engine. watch.ts limits its usage.
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { KIND } from '../../protocol.ts';
import { type EngineFrame, FILES, INLINE_CHARS, INLINE_TOTAL_CHARS, type Payload, SMALL_CHARS } from '../wire.ts';
import { Guest } from './guest.ts';
import type { RunFile, WatchData } from './job.ts';
import { Shared, writeAll } from './shared.ts';

/** Set by the bootstrap, see bootstrap.ts. */
declare const codeModeRun: RunFile & { readonly folder: string };
const { pack, job, folder } = codeModeRun;

const shared = new Shared();
const cpuMs = (): number => shared.used()?.cpuMs ?? 0;
let written = 0;
let listening = false;
let files = 0;

// Starts while the prelude is evaluated, on another core if there is one.
const watch: WatchData = { shared: shared.buffer, job };
new Worker(pack.watch, { eval: true, workerData: watch, env: {}, stdout: true, stderr: true });

function carry(payload: string): Payload {
  const room = written < INLINE_TOTAL_CHARS ? INLINE_CHARS : SMALL_CHARS;
  if (payload.length <= room) return { p: payload };
  const number = ++files;
  const bytes = Buffer.from(payload, 'utf8');
  writeFileSync(join(folder, FILES.fromRunner(number)), bytes);
  return { file: number, bytes: bytes.length };
}

function readWhole(name: string, bytes: number): string {
  const path = join(folder, name);
  if (statSync(path).size !== bytes) throw new Error(`${name} is not whole`);
  return readFileSync(path, 'utf8');
}

// A line end first, because output of the shell's profile may not have ended with one.
writeAll('\n');
const guest = new Guest(pack, job, {
  send(kind, id, payload) {
    written += shared.write({ t: 'message', kind, id, cpuMs: cpuMs(), ...carry(payload) });
    if ((kind === KIND.call || kind === KIND.timer) && !listening) {
      listening = true;
      setImmediate(listen);
    }
  },
  end: reason => shared.writeLast({ t: 'end', reason, cpuMs: cpuMs() }),
  idle: settled => void shared.write({ t: 'idle', settled, cpuMs: cpuMs() }),
});

/** Opens stdin, which takes time. Called after the first call was sent, because the reply takes longer. */
function listen(): void {
  let partial = '';
  process.stdin.setEncoding('latin1').on('data', (chunk: string) => {
    const lines = (partial + chunk).split('\n');
    partial = lines.pop() ?? '';
    if (unsettled.push(...lines) === lines.length) settleNext();
  });
}

/** Replies that wait. One is delivered per turn of the event loop, so that the guest is idle before it gets the next. */
const unsettled: string[] = [];
function settleNext(): void {
  const [line] = unsettled;
  if (line === undefined) return;
  const frame = JSON.parse(line) as EngineFrame;
  const payload = 'p' in frame ? frame.p : readWhole(FILES.toRunner(frame.file), frame.bytes);
  guest.settle(frame.id, frame.how, payload, frame.atMs);
  setImmediate(() => {
    unsettled.shift();
    settleNext();
  });
}

process.on('unhandledRejection', (reason, promise) => guest.reject(promise, reason, false));
process.on('rejectionHandled', promise => guest.reject(promise, undefined, true));
process.on('uncaughtException', () => guest.end('crashed'));

shared.markStart();
shared.write({ t: 'started' });
guest.start();
