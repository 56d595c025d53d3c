// pnpm bench: measures what the gateway costs. The contenders run in turn in short rounds, so that a busy machine slows
// all of them: trust the ratios, not the milliseconds. BENCH_SECONDS scales the rounds (default 60). Then it runs the
// benchmark of the engine (bench/engine.ts) for half of that time.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { atLeast, atMost, goalRows } from './goals.ts';
import { drive, emptySample, type Load, post, quantile, type Sample } from './load.ts';
import { type Contender, startContender } from './processes.ts';
import { measureStarts } from './start.ts';

const seconds = Number(process.env.BENCH_SECONDS ?? 60);
const ROUNDS = 6;
/** Duration of one round of one line in the tables. */
const roundMs = (seconds * 1000) / (ROUNDS * 14);

const LIST: Load = { method: 'tools/list' };
const TRIVIAL: Load = { tool: 'execute_read', code: 'async () => 1' };
const SEARCH: Load = { tool: 'search', code: `async () => find('pause a sandbox', { limit: 3 })` };
const READ: Load = {
  tool: 'execute_read',
  code: `async () => (await api.request({ method: 'GET', path: '/v2/sandboxes' })).data`,
};
const FREE = { RATE_LIMIT_PER_KEY: '0', MAX_PARALLEL_PER_KEY: '0', LOG_LEVEL: 'error', LOG_FORMAT: 'json' };

const cloud = await startContender('../main.js', ['--local-only'], FREE);
const env = { ...FREE, E2B_API_URL: cloud.url, E2B_SANDBOX_URL: cloud.url };
const startGateway = () => startContender('../main.js', [], env);
const gateway = await startGateway();
const bare = await startContender('servers/bare.js', [], {});
const hops = await startContender('servers/express.js', [], env);

head();
await starts();
await warmUp();
await againstBare();
await againstHops();
await concurrency();
await memory();
await growth();
await replicas();
table(['goal', 'now', 'wanted'], goalRows());
for (const contender of [cloud, gateway, bare, hops]) contender.close();
engine();
process.exit(0);

function head(): void {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  const [cpu] = cpus();
  console.log(`e2b-code-mode ${version} · Node ${process.version} · ${new Date().toISOString().slice(0, 10)}`);
  console.log(
    `${cpus().length} × ${cpu?.model.trim()} · ${(totalmem() / 2 ** 30).toFixed(0)} GB · load by this process`,
  );
}

async function warmUp(): Promise<void> {
  for (const load of [LIST, TRIVIAL, SEARCH, READ])
    await drive([gateway], load, { callers: 8, ms: 1_000, into: emptySample() });
  await drive([bare], LIST, { callers: 8, ms: 500, into: emptySample() });
  await drive([bare], TRIVIAL, { callers: 8, ms: 500, into: emptySample() });
  await drive([hops], READ, { callers: 8, ms: 500, into: emptySample() });
}

/** Lets the contenders take turns; returns the sample of each over all rounds. */
async function rounds(lines: readonly { who: readonly Contender[]; load: Load; callers: number }[]): Promise<Sample[]> {
  const samples = lines.map(emptySample);
  for (let round = 0; round < ROUNDS; round++)
    for (const [index, { who, load, callers }] of lines.entries())
      await drive(who, load, { callers, ms: roundMs, into: samples[index] ?? emptySample() });
  return samples;
}

async function againstBare(): Promise<void> {
  const lines = [LIST, TRIVIAL].flatMap(load => [bare, gateway].map(who => ({ who: [who], load, callers: 8 })));
  const samples = await rounds(lines);
  table(
    ['8 callers', 'requests/s', 'per CPU-second', 'p50 ms'],
    [
      ['tools/list, bare SDK server', ...rates(samples[0])],
      ['tools/list, gateway', ...rates(samples[1])],
      ['tools/call, bare SDK server (no run)', ...rates(samples[2])],
      ['tools/call, gateway (async () => 1)', ...rates(samples[3])],
    ],
  );
  ratio('tools/list: requests per CPU-second, gateway / bare', perCpu(samples[1]) / perCpu(samples[0]));
  atLeast('tools/call: requests per CPU-second, over a bare SDK server', perCpu(samples[3]) / perCpu(samples[2]), 0.6);
}

async function againstHops(): Promise<void> {
  const samples = await rounds([
    { who: [hops], load: READ, callers: 1 },
    { who: [gateway], load: READ, callers: 1 },
    { who: [gateway], load: SEARCH, callers: 1 },
  ]);
  const p50 = samples.map(({ ms }) => quantile(ms, 0.5));
  table(
    ['1 caller', 'p50 ms', 'p99 ms'],
    [
      ['Express route with the same call, no sandbox', ...times(samples[0])],
      ['execute_read with one API call', ...times(samples[1])],
      ['search', ...times(samples[2])],
    ],
  );
  atMost('execute_read with one call, CPU over the Express route', perCpu(samples[0]) / perCpu(samples[1]), 3);
  atMost('execute_read with one call, p50 over the Express route', (p50[1] ?? 0) / (p50[0] ?? 0), 2.5);
  ratio('search / Express route, p50', (p50[2] ?? 0) / (p50[0] ?? 0));
}

async function concurrency(): Promise<void> {
  const levels = [1, 4, 16, 64];
  const samples = await rounds(levels.map(callers => ({ who: [gateway], load: READ, callers })));
  table(
    ['execute_read, one API call', 'runs/s', 'per CPU-second', 'p50 ms', 'p99 ms', 'CPU ms/run'],
    levels.map((callers, index) => {
      const sample = samples[index] ?? emptySample();
      const cpuMs = ((sample.cpuSeconds * 1000) / sample.requests).toFixed(2);
      return [`${callers} at once`, ...rates(sample), quantile(sample.ms, 0.99).toFixed(1), cpuMs];
    }),
  );
}

async function memory(): Promise<void> {
  const RUNS = 200;
  const waiting = `async () => { const kept = Array.from({ length: 1000 }, (_, i) => 'row ' + i); await new Promise(done => setTimeout(done, 3000)); return kept.length }`;
  const params = { name: 'execute_read', arguments: { code: waiting } };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
  // Uses a new gateway, briefly warmed up: one that has worked longer has free memory, which would hide growth.
  const fresh = await startGateway();
  await drive([fresh], READ, { callers: 4, ms: 1_000, into: emptySample() });
  const before = fresh.residentMb();
  const runs = Array.from({ length: RUNS }, () => post(fresh.url, body));
  await new Promise(resolve => setTimeout(resolve, 2_500));
  const during = fresh.residentMb();
  await Promise.all(runs);
  fresh.close();
  table(
    ['memory', 'MB'],
    [
      ['gateway, warm', before.toFixed(0)],
      [`with ${RUNS} runs waiting`, during.toFixed(0)],
      ['each waiting run', ((during - before) / RUNS).toFixed(2)],
    ],
  );
  atMost('each waiting run', (during - before) / RUNS, 0.4, ' MB');
}

/** Resident memory of a new gateway after its first runs and after thousands of runs. */
async function growth(): Promise<void> {
  const fresh = await startGateway();
  const done = emptySample();
  const runs = async (count: number) => {
    while (done.requests < count) await drive([fresh], READ, { callers: 8, ms: 500, into: done });
  };
  await runs(100);
  atMost('resident memory, warm', fresh.residentMb(), 170, ' MB');
  await runs(6_000);
  atMost('resident memory, after 6,000 runs', fresh.residentMb(), 230, ' MB');
  fresh.close();
}

async function starts(): Promise<void> {
  const measured = await measureStarts(5);
  const median = (of: (start: (typeof measured)[number]) => number) => quantile(measured.map(of), 0.5);
  const node = median(start => start.node);
  atMost('stdio: initialize answered, over node -e 1', median(start => start.initialize) / node, 6);
  atMost('stdio: first search answered, over node -e 1', median(start => start.search) / node, 11);
  atMost('HTTP: ready, over node -e 1', median(start => start.ready) / node, 10);
}

async function replicas(): Promise<void> {
  const others = await Promise.all([startGateway(), startGateway()]);
  const three = [gateway, ...others];
  await drive(three, READ, { callers: 12, ms: 2_000, into: emptySample() });
  const samples = await rounds([
    { who: [gateway], load: READ, callers: 24 },
    { who: three, load: READ, callers: 24 },
  ]);
  table(
    ['execute_read, 24 callers', 'runs/s', 'per CPU-second', 'p50 ms'],
    [
      ['1 replica', ...rates(samples[0])],
      ['3 replicas', ...rates(samples[1])],
    ],
  );
  const rate = (sample = emptySample()) => sample.requests / sample.seconds;
  atLeast('3 replicas over 1, runs a second', rate(samples[1]) / rate(samples[0]), 0.9);
  for (const other of others) other.close();
}

function engine(): void {
  console.log('\nThe engine alone (bench/engine.ts)\n');
  spawnSync(process.execPath, [fileURLToPath(new URL('engine.js', import.meta.url))], {
    env: { ...process.env, BENCH_SECONDS: String(seconds / 2) },
    stdio: 'inherit',
  });
}

function perCpu(sample = emptySample()): number {
  return sample.requests / sample.cpuSeconds;
}
function rates(sample = emptySample()): string[] {
  return [
    (sample.requests / sample.seconds).toFixed(0),
    perCpu(sample).toFixed(0),
    quantile(sample.ms, 0.5).toFixed(2),
  ];
}
function times(sample = emptySample()): string[] {
  return [quantile(sample.ms, 0.5).toFixed(2), quantile(sample.ms, 0.99).toFixed(2)];
}
function ratio(what: string, value: number): void {
  console.log(`  ${what}: ${value.toFixed(2)}×`);
}
function table(titles: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = titles.map((title, at) => Math.max(title.length, ...rows.map(row => row[at]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  ');
  console.log(`\n${line(titles)}\n${widths.map(width => '─'.repeat(width)).join('──')}`);
  for (const row of rows) console.log(line(row));
}
