// Runs one contender in a separate process, so that memory and warm-up are measured for it alone. Gets work over IPC.
import { makeContender, type Name } from './contenders.ts';
import { SCENARIOS, type Scenario, WAITING } from './scenarios.ts';

export type Request =
  | { readonly kind: 'latency'; readonly scenario: string; readonly rounds: number }
  | { readonly kind: 'throughput'; readonly concurrent: number; readonly runs: number }
  | { readonly kind: 'many'; readonly runs: number };
export type Reply =
  | { readonly samples: number[] }
  | { readonly runsPerSecond: number; readonly p99Ms: number; readonly peakMb: number; readonly cpuMs: number }
  | { readonly rssMb: number; readonly runsPerSecond: number };

const contender = await makeContender(process.argv[2] as Name);
const MB = 1_048_576;
let programs = 0;

async function timed(scenario: Scenario): Promise<number> {
  const start = performance.now();
  // Agents always write new code, so the comment prevents contenders from reusing compiled code.
  await contender.run({ ...scenario, body: `/* ${++programs} */ ${scenario.body}` });
  return performance.now() - start;
}

async function pump(scenario: Scenario, runs: number, concurrent: number, seen: (ms: number) => void): Promise<number> {
  let left = runs;
  const start = performance.now();
  const lane = async () => {
    while (left-- > 0) seen(await timed(scenario));
  };
  await Promise.all(Array.from({ length: concurrent }, lane));
  return (runs / (performance.now() - start)) * 1_000;
}

async function answer(request: Request): Promise<Reply> {
  if (request.kind === 'latency') {
    const scenario = SCENARIOS.find(({ name }) => name === request.scenario) as Scenario;
    const samples: number[] = [];
    for (let i = 0; i < request.rounds; i++) samples.push(await timed(scenario));
    return { samples };
  }
  if (request.kind === 'many') {
    const three = SCENARIOS.find(({ name }) => name === 'three') as Scenario;
    const runsPerSecond = await pump(three, request.runs, 16, () => undefined);
    await new Promise(resolve => setTimeout(resolve, 300));
    return { rssMb: process.memoryUsage().rss / MB, runsPerSecond };
  }
  let peakMb = 0;
  const watch = setInterval(() => {
    peakMb = Math.max(peakMb, process.memoryUsage().rss / MB);
  }, 10);
  const samples: number[] = [];
  const before = process.cpuUsage();
  const runsPerSecond = await pump(WAITING, request.runs, request.concurrent, ms => samples.push(ms));
  clearInterval(watch);
  samples.sort((a, b) => a - b);
  const { user, system } = process.cpuUsage(before);
  const cpuMs = (user + system) / 1_000 / request.runs;
  return { runsPerSecond, p99Ms: samples[Math.floor(samples.length * 0.99)] ?? 0, peakMb, cpuMs };
}

process.on('message', (request: Request | 'close') => {
  if (request === 'close') void contender.close().then(() => process.exit(0));
  else void answer(request).then(reply => process.send?.(reply));
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
