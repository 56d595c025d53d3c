// Threads as Linux sees them: how long each has been on a processor, and its priority. Elsewhere nothing is known of
// them, and priorities are those of the whole process.
import { readFileSync, readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';

const isLinux = process.platform === 'linux';
/** A tenth of the main thread's weight, while both want the same processor. */
const NICE = 10;

/** Of the calling thread; 0 where it has none. */
export function ownThreadId(): number {
  if (!isLinux) return 0;
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').at(-1));
  } catch {
    return 0;
  }
}

/** How long a thread of this process has been on a processor, ever. Undefined where that is not known. */
export function threadMs(threadId: number): number | undefined {
  if (threadId === 0) return undefined;
  try {
    return Number(readFileSync(`/proc/self/task/${threadId}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return undefined;
  }
}

/** From now on the thread gives way to the others of this process; it cannot be raised again. False: nothing changed. */
export function lowerPriority(threadId: number): boolean {
  if (threadId === 0) return false;
  try {
    setPriority(threadId, NICE);
    return true;
  } catch {
    return false; // it is gone
  }
}
