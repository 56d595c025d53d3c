// pnpm bench:engine: compares the embedded engine with a plain function call, with worker_threads + node:vm, and with
// the npm package `run`. The contenders run in turn, each in its own process, so that a busy machine slows all of them:
// trust the ratios, not the milliseconds. BENCH_SECONDS scales the number of rounds (default 60).
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { principalFromKey } from '../src/principal.ts';
import type { Reply, Request } from './engine/child.ts';
import { LIMITS, loadEngine, NAMES, type Name } from './engine/contenders.ts';
import { SCENARIOS } from './engine/scenarios.ts';
import { atMost, goalRows } from './goals.ts';

const scale = Math.max(0.1, Number(process.env.BENCH_SECONDS ?? 60) / 60);
const ROUNDS = 5;

class Child {
  readonly #process: ChildProcess;
  constructor(name: Name) {
    this.#process = fork(fileURLToPath(new URL('engine-child.js', import.meta.url)), [name]);
  }
  #next<T>(): Promise<T> {
    return new Promise((resolve, reject) => {
      const lost = (code: number | null) => reject(new Error(`a contender exited with ${code}`));
      this.#process.once('exit', lost);
      this.#process.once('message', (message: T) => {
        this.#process.off('exit', lost);
        resolve(message);
      });
    });
  }
  ready(): Promise<unknown> {
    return this.#next();
  }
  async ask<T extends Reply>(request: Request): Promise<T> {
    const reply = this.#next<T>();
    this.#process.send(request);
    return reply;
  }
  close(): void {
    this.#process.removeAllListeners();
    this.#process.send('close');
  }
}

async function children(names: readonly Name[]): Promise<Map<Name, Child>> {
  const made = new Map(names.map(name => [name, new Child(name)]));
  await Promise.all([...made.values()].map(child => child.ready()));
  return made;
}

/** Time for the engine to warm up in the background. */
const WARM_MS = 2_500;
const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));
const quantile = (samples: number[], q: number) =>
  [...samples].sort((a, b) => a - b)[Math.floor(samples.length * q)] ?? 0;
const round = (n: number) => (n >= 100 ? n.toFixed(0) : n >= 10 ? n.toFixed(1) : n.toFixed(2));
const row = (cells: readonly (string | number)[]) =>
  console.log(`| ${cells.map(cell => (typeof cell === 'number' ? round(cell) : cell)).join(' | ')} |`);
const header = (cells: readonly string[]) => {
  row(cells);
  row(cells.map(() => '---'));
};

type Latency = { readonly samples: number[] };
type Throughput = {
  readonly runsPerSecond: number;
  readonly p99Ms: number;
  readonly peakMb: number;
  readonly cpuMs: number;
};

async function latency(): Promise<void> {
  const all = await children(NAMES);
  await pause(WARM_MS);
  header(['p50 · p99 ms', ...NAMES, 'ours / vm', 'ours / bare', 'ours / run']);
  for (const { name: scenario, title, rounds } of SCENARIOS) {
    const samples = new Map<Name, number[]>(NAMES.map(name => [name, []]));
    for (const child of all.values()) await child.ask({ kind: 'latency', scenario, rounds: 2 });
    for (let i = 0; i < ROUNDS; i++)
      for (const [name, child] of all) {
        const asked = Math.max(1, Math.round(rounds * scale * (name === 'run' ? 0.3 : 1)));
        samples.get(name)?.push(...(await child.ask<Latency>({ kind: 'latency', scenario, rounds: asked })).samples);
      }
    const p50 = (name: Name) => quantile(samples.get(name) ?? [], 0.5);
    if (scenario === 'big') atMost(`${title}, over vm`, p50('quickjs') / p50('vm'), 3);
    const p99 = (name: Name) => quantile(samples.get(name) ?? [], 0.99);
    const ratio = (name: Name) => `${(p50('quickjs') / p50(name)).toFixed(2)}×`;
    row([
      title,
      ...NAMES.map(name => `${round(p50(name))} · ${round(p99(name))}`),
      ratio('vm'),
      ratio('bare'),
      ratio('run'),
    ]);
  }
  for (const child of all.values()) child.close();
}

async function throughput(): Promise<void> {
  console.log('');
  header(['three calls of 50 ms: runs/s · p99 ms · CPU ms a run · peak RSS MB', ...NAMES]);
  for (const concurrent of [1, 16, 64, 256]) {
    const cells: string[] = [];
    for (const name of NAMES)
      cells.push(name === 'run' && concurrent > 64 ? '–' : await measureThroughput(name, concurrent));
    row([`${concurrent} at once`, ...cells]);
  }
}

async function measureThroughput(name: Name, concurrent: number): Promise<string> {
  const [child] = (await children([name])).values();
  if (child === undefined) return '';
  await child.ask({ kind: 'throughput', concurrent: 2, runs: 4 });
  await pause(WARM_MS);
  const runs = Math.max(concurrent * 2, Math.round(concurrent * (name === 'run' ? 4 : 16) * scale));
  const measured = await child.ask<Throughput>({ kind: 'throughput', concurrent, runs });
  child.close();
  const { runsPerSecond, p99Ms, cpuMs, peakMb } = measured;
  return [runsPerSecond, p99Ms, cpuMs, peakMb].map(round).join(' · ');
}

async function memory(): Promise<void> {
  console.log('');
  header(['the engine over time (three calls, 16 at once)', 'RSS MB', 'runs/s']);
  const [child] = (await children(['quickjs'])).values();
  if (child === undefined) return;
  let done = 0;
  for (const runs of [500, 4_500, 5_000, 10_000].map(n => Math.round(n * Math.min(1, scale)))) {
    const { rssMb, runsPerSecond } = await child.ask<{ rssMb: number; runsPerSecond: number }>({ kind: 'many', runs });
    done += runs;
    row([`after ${done} runs`, rssMb, runsPerSecond]);
  }
  child.close();
}

/** Measures cold start, runs that use all their CPU time, and cancellation, in this process. */
async function hardships(): Promise<void> {
  const createQuickjsEngine = await loadEngine();
  const cold = performance.now();
  const engine = await createQuickjsEngine({
    descriptionJson: '{"title":"","version":"","operations":[],"capabilities":[],"synonyms":{}}',
  });
  const coldMs = performance.now() - cold;
  const start = async (source: string, cpuMs: number, id = 'bench', signal = new AbortController().signal) => {
    const begun = performance.now();
    const callHost = () =>
      new Promise<{ ok: true; json: string }>(resolve => setTimeout(() => resolve({ ok: true, json: '1' }), 50));
    const outcome = await engine.run({
      source,
      surface: 'read',
      callHost,
      limits: { ...LIMITS, cpuMs },
      signal,
      principal: { ...principalFromKey(''), id },
    });
    return { outcome, ms: performance.now() - begun };
  };
  const calls = 'async () => { for (let i = 0; i < 3; i++) await api.request({ i }) }';
  const sixteen = async () =>
    (await Promise.all(Array.from({ length: 16 }, () => start(calls, 1_000)))).map(({ ms }) => ms);
  await sixteen();
  await pause(WARM_MS);
  const alone = await sixteen();
  console.log('');
  header(['the engine in trouble', '']);
  row(['cold start, ms until ready', coldMs]);
  for (const hogs of [1, 3]) {
    const spinning = Array.from({ length: hogs }, () => start('async () => { for (;;); }', 2_500, 'hog'));
    await pause(300);
    const beside = await sixteen();
    const p50Ratio = quantile(beside, 0.5) / quantile(alone, 0.5);
    if (hogs === 3) atMost('three hogs: the p50 of 16 others', p50Ratio, 1.1);
    row([
      `16 runs beside ${hogs} hog(s), p50 · max against without`,
      `${p50Ratio.toFixed(2)}× · ${(Math.max(...beside) / Math.max(...alone)).toFixed(2)}×`,
    ]);
    await Promise.all(spinning);
  }
  const stuck = 'async () => { const a = []; a[4294967290] = 1; a.reverse() }';
  const overruns: number[] = [];
  const next: number[] = [];
  for (let i = 0; i < 5; i++) {
    overruns.push((await start(stuck, 200)).ms - 200);
    next.push((await start('async () => 1', 200)).ms);
    await pause(200);
  }
  row(['killed in a built-in: overrun p50, ms', quantile(overruns, 0.5)]);
  row(['the next run after that kill, p50, ms', quantile(next, 0.5)]);
  const cancels: number[] = [];
  for (const source of ['async () => { for (;;); }', stuck, calls]) {
    const caller = new AbortController();
    const gone = start(source, 10_000, 'bench', caller.signal);
    await pause(30);
    const at = performance.now();
    caller.abort();
    await gone;
    cancels.push(performance.now() - at);
  }
  row(['cancelled while spinning · stuck · waiting, ms', cancels.map(round).join(' · ')]);
  await engine.close();
}

await latency();
await throughput();
await memory();
await hardships();
console.log('');
header(['goal', 'now', 'wanted']);
for (const cells of goalRows()) row(cells);
