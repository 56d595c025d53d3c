// pnpm bench:floor: how long QuickJS itself takes to parse and map a large response on one thread, compared with V8 in
// the same process. The embedded engine cannot be faster than this.

import { KIND, SETTLE } from '../src/engine/protocol.ts';
import { createImages } from '../src/engine/quickjs/images.ts';
import { Instance } from '../src/engine/quickjs/instance.ts';
import { loadQuickjsModule } from '../src/engine/quickjs/vm.ts';
import { ANSWERS } from './engine/scenarios.ts';

const ROUNDS = 30;
const WARM_ROUNDS = 5;
const MAP = `({ data }) => data.filter(s => s.state === 'running' && s.metadata.n % 100 === 1).map(s => s.id)`;
const LIMITS = { maxResultChars: 1e6, maxLogChars: 1e6, maxCallChars: 1e6, maxPendingCalls: 1, maxDisplayBytes: 0 };

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};
const median = (samples: number[]) => samples.sort((a, b) => a - b)[Math.floor(samples.length / 2)] ?? Number.NaN;

const module = loadQuickjsModule();
const image = await createImages(module).execute();

/** CPU time from the arrival of the response until the guest calls `done` with the result. */
function inQuickjs(): number {
  let doneAt = 0;
  const instance = new Instance(module, image, {
    interrupt: () => false,
    send: kind => {
      if (kind === KIND.done) doneAt = cpuMs();
      return undefined;
    },
  });
  const source = `async () => (${MAP})(await api.request({}))`;
  instance.start(source, 'code.js', JSON.stringify(LIMITS), 64 << 20);
  while (instance.runJob());
  const startedAt = cpuMs();
  instance.settle(1, SETTLE.fulfilled, ANSWERS.big);
  while (instance.runJob());
  return doneAt - startedAt;
}

function inV8(): number {
  const map = new Function(`return ${MAP}`)() as (answer: unknown) => number[];
  const startedAt = cpuMs();
  JSON.stringify(map(JSON.parse(ANSWERS.big)));
  return cpuMs() - startedAt;
}

const quickjs: number[] = [];
const v8: number[] = [];
for (let round = 0; round < ROUNDS + WARM_ROUNDS; round++) {
  const [one, other] = [inQuickjs(), inV8()];
  if (round < WARM_ROUNDS) continue;
  quickjs.push(one);
  v8.push(other);
}
const [ours, theirs] = [median(quickjs), median(v8)];
console.log(
  `${(ANSWERS.big.length / 1e6).toFixed(2)} million characters parsed and mapped, median CPU of ${ROUNDS} rounds`,
);
console.log(`QuickJS ${ours.toFixed(1)} ms · V8 ${theirs.toFixed(1)} ms · ${(ours / theirs).toFixed(1)}×`);
process.exit(0);
