// Generated shapes at every place where others send something, for FUZZ_SECONDS (5 here, longer by `pnpm fuzz`), while
// the event loop is watched. What is found goes into attacks/.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fuzzSeconds } from '../support/fuzz.ts';
import { newKey } from '../support/gateway.ts';
import { PLACES, shape } from './shapes.ts';
import { useStallGateway } from './support/gateway.ts';
import { watch } from './support/probe.ts';
import { toolCall } from './support/send.ts';

const seconds = fuzzSeconds(5);
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() & 0x7fffffff);
/** What the main thread may run between two answers of /healthz, where the system counts it. */
const MAX_RAN_MS = 250;
const MAX_SILENCE_MS = 10_000;
const stall = useStallGateway();

it(`answers /healthz whatever is sent (${seconds} s, FUZZ_SEED=${seed})`, {
  timeout: (seconds + 90) * 1_000,
}, async () => {
  const found: string[] = [];
  const until = performance.now() + seconds * 1_000;
  const { url, process: gateway } = stall.embedded;
  for (let round = 0; performance.now() < until; round++) {
    const [sample] = fc.sample(fc.tuple(fc.constantFrom(...Object.keys(PLACES)), shape), {
      numRuns: 1,
      seed: seed + round,
    });
    if (sample === undefined) continue;
    const [name, what] = sample;
    const shot = PLACES[name]?.(what);
    stall.answers = shot?.answers ?? {};
    const watching = watch({ url, pid: gateway.pid, key: newKey(), call: toolCall('search', 'async () => 1') });
    await shot?.send(stall.embedded);
    const { silenceMs, inSilence } = await watching.stop();
    const figures = `${name}, seed ${seed + round}, ${JSON.stringify(what)}: silence ${silenceMs.toFixed(0)} ms, ran ${inSilence.ranMs.toFixed(0)} ms`;
    expect(gateway.exitCode, figures).toBeNull();
    if (inSilence.ranMs > MAX_RAN_MS || silenceMs > MAX_SILENCE_MS) found.push(figures);
  }
  if (found.length > 0) console.log(found.join('\n'));
  expect(found).toEqual([]);
});
