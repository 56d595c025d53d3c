// Generated input at every place where others send data, for FUZZ_SECONDS (5 here, longer with `pnpm fuzz`), while
// the event loop is watched. Findings are added to attacks/.
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
/** Maximum CPU time of the main thread between two responses of /healthz, if the system measures it. */
const MAX_RAN_MS = 250;
const MAX_SILENCE_MS = 10_000;
const stall = useStallGateway();

it(`/healthz responds whatever is sent (${seconds} s, FUZZ_SEED=${seed})`, {
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
