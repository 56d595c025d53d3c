// State that the runner's two threads share: a lock for stdout, and the CPU time and memory at the start of the guest.
import { writeSync } from 'node:fs';
import { MARK, type RunnerFrame, toAscii } from '../wire.ts';

const LOCK = 0;
const FREE = 0;
const HELD = 1;
const SHARED_BYTES = 24;

/** CPU time of this whole process, in milliseconds. */
function cpuNowMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

export class Shared {
  readonly buffer: SharedArrayBuffer;
  readonly #lock: Int32Array;
  /** CPU time and memory of the process when the agent's code started; 0 before that. */
  readonly #start: Float64Array;

  constructor(buffer = new SharedArrayBuffer(SHARED_BYTES)) {
    this.buffer = buffer;
    this.#lock = new Int32Array(buffer, 0, 1);
    this.#start = new Float64Array(buffer, 8, 2);
  }

  markStart(): void {
    this.#start[1] = process.memoryUsage.rss();
    this.#start[0] = cpuNowMs();
  }

  /** CPU time and memory that the agent's code has used so far; undefined before its start. */
  used(): { readonly cpuMs: number; readonly memoryBytes: number } | undefined {
    const [cpuMs = 0, memoryBytes = 0] = this.#start;
    if (cpuMs === 0) return undefined;
    return { cpuMs: Math.round(cpuNowMs() - cpuMs), memoryBytes: process.memoryUsage.rss() - memoryBytes };
  }

  /** Writes synchronously, so that everything before the end is sent. Returns the length. */
  write(frame: RunnerFrame): number {
    const line = `${MARK}${toAscii(frame)}\n`;
    this.#take();
    writeAll(line);
    Atomics.store(this.#lock, LOCK, FREE);
    Atomics.notify(this.#lock, LOCK);
    return line.length;
  }

  /** Writes the last frame and keeps the lock, so that neither thread writes after it. */
  writeLast(frame: RunnerFrame): void {
    this.#take();
    writeAll(`${MARK}${toAscii(frame)}\n`);
  }

  #take(): void {
    while (Atomics.compareExchange(this.#lock, LOCK, FREE, HELD) !== FREE) Atomics.wait(this.#lock, LOCK, HELD);
  }
}

export function writeAll(line: string): void {
  let rest = Buffer.from(line, 'latin1');
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}
