// Waits until a server in a sandbox listens on a port. Polls with the capability of fetch, at growing intervals.
import { startTimer } from '../bridge.ts';
import * as is from '../intrinsics.ts';
import { decodeUtf8 } from '../text.ts';
import { type Call, named, plain } from './calls.ts';

type Answered = { readonly status: number; readonly base64: string };

const DEFAULT_MS = 30_000;
/** A smaller number was probably meant in seconds. */
const LEAST_MS = 100;
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 2_000;
const ANSWER_MS = 2_000;

export const sleep = (ms: number): Promise<void> => new Promise(resolve => void startTimer(ms, resolve));

/** Resolves when `port` accepts connections. Rejects with the SDK's TimeoutError. */
export async function waitForPort(call: Call, sandboxId: string, port: unknown, options: unknown): Promise<void> {
  if (!(Number(port) >= 1 && Number(port) <= 65_535))
    throw new TypeError('waitForPort(port, options): port is the number of a port, e.g. waitForPort(3000).');
  const { timeoutMs = DEFAULT_MS, ...unknown } = plain(options) as { timeoutMs?: number };
  checkOptions(timeoutMs, unknown);
  const until = is.now() + timeoutMs;
  for (let pause = FIRST_PAUSE_MS; ; pause = is.min(pause * 1.5, MAX_PAUSE_MS)) {
    if (await isOpen(call, sandboxId, Number(port))) return;
    if (is.now() + pause > until)
      throw named(
        'TimeoutError',
        `Port ${String(port)} is not open after ${timeoutMs} ms. Look at what the server printed: await files.read(handle.logPath), where handle is what commands.run('…', { background: true }) returned.`,
      );
    await sleep(pause);
  }
}

function checkOptions(timeoutMs: unknown, unknown: object): void {
  const [other] = is.keys(unknown);
  if (other !== undefined)
    throw new TypeError(`waitForPort(port, options): unknown option "${other}"; there is timeoutMs, in milliseconds.`);
  if (typeof timeoutMs !== 'number' || !(timeoutMs >= LEAST_MS))
    throw new TypeError(
      `waitForPort(port, options): timeoutMs is in milliseconds, at least ${LEAST_MS}: for 30 seconds write 30_000.`,
    );
}

async function isOpen(call: Call, sandboxId: string, port: number): Promise<boolean> {
  try {
    const answer = await call('fetch', { sandboxId, port, path: '/', opts: { timeoutMs: ANSWER_MS } });
    const { status, base64 } = answer as Answered;
    return status !== 502 || !/port is not open/i.test(decodeUtf8(is.fromBase64(base64)));
  } catch (error) {
    // The server accepted the connection and is slow to respond.
    if ((error as Error).name === 'TimeoutError') return true;
    throw error;
  }
}
