// CPU times of the gateway's process from Linux; zeros elsewhere. They distinguish a main thread that works too long from one that a
// busy machine does not run.
import { readFileSync } from 'node:fs';

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

export function mainThread(pid: number | undefined): { readonly ranMs: number; readonly waitedMs: number } {
  const [ran = 0, waited = 0] = read(`/proc/${pid}/task/${pid}/schedstat`).split(' ').map(Number);
  return { ranMs: Math.round(ran / 1e6), waitedMs: Math.round(waited / 1e6) };
}

/** Counted from the start of the process. */
export const peakMemoryMb = (pid: number | undefined): number =>
  Math.round(Number(/VmHWM:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1024);
