// pnpm bench:microvm: compares the microVM engine with the same work done by hand with the SDK (create, run node,
// kill), and with quickjs. Uses local mode with real processes in a separate process, where a sandbox boots in
// BENCH_BOOT_MS (default 0), or E2B with E2B_API_KEY and LIVE=1 (costs a few cents). The contenders run in turn: trust
// the ratios, not the milliseconds. BENCH_ROUNDS sets the number of rounds (default 20).
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type CommandHandle, Sandbox } from 'e2b';
import { startLocal } from '../local/start.ts';
import type { CallHost, Engine } from '../src/engine/engine.ts';
import { Origin } from '../src/ground/origin.ts';
import { principalFromKey } from '../src/principal.ts';
import { processMachine } from '../test/support/process-machine/machine.ts';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 20);
/** Simulated boot time of a sandbox in local mode. */
const BOOT_MS = Number(process.env.BENCH_BOOT_MS ?? 0);
const LIVE = process.env.LIVE === '1' && process.env.E2B_API_KEY !== undefined;
const KEY = LIVE ? (process.env.E2B_API_KEY ?? '') : `e2b_${'0'.repeat(40)}`;

const built = (path: string) => new URL(`../${path}`, import.meta.url);
// Loaded from dist/ and not bundled, because the engines look for their workers and runners there.
const { createE2bEngine } = (await import(
  built('engine/microvm/engine.js').href
)) as typeof import('../src/engine/microvm/engine.ts');
const { createQuickjsEngine } = (await import(
  built('engine/quickjs/engine.js').href
)) as typeof import('../src/engine/quickjs/engine.ts');

/** Runs local mode; this file starts itself in a second process for that. */
async function serveLocal(): Promise<never> {
  const slowBoot = async (req: { method?: string | undefined; url?: string | undefined }) => {
    if (req.method === 'POST' && req.url === '/v2/sandboxes') await sleep(BOOT_MS);
    return false;
  };
  const { url } = await startLocal({ port: 0, machine: processMachine, intercept: slowBoot });
  console.log(url);
  return new Promise(() => undefined);
}

async function spawnLocal(): Promise<{ url: string; child: ChildProcess }> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), 'local'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const text of child.stdout) return { url: String(text).trim(), child };
  throw new Error('local mode did not start');
}

if (process.argv[2] === 'local') await serveLocal();

const limits = {
  ...{ wallMs: 30_000, cpuMs: 5_000, memoryBytes: 64 << 20, maxResultChars: 400_000, maxLogChars: 20_000 },
  ...{ maxCallChars: 1_000_000, maxCallValues: 20_000, maxPendingCalls: 100, maxDisplayBytes: 1_000_000 },
};
const answer: CallHost = async () => ({ ok: true, json: '{"status":200,"data":[]}' });

async function run(engine: Engine, source: string): Promise<void> {
  const outcome = await engine.run({
    ...{ source, surface: 'write', callHost: answer, limits },
    ...{ principal: principalFromKey(KEY), signal: new AbortController().signal },
  });
  if (outcome.status === 'failed') throw new Error(outcome.error.message);
}

const SOURCES = {
  'a value': 'async () => 1',
  'a call': `async () => (await api.request({ method: 'GET', path: '/v2/sandboxes' })).status`,
  '20 calls in turn': `async () => { for (let i = 0; i < 20; i++) await api.request({ method: 'GET', path: '/v2/sandboxes' }); return 1 }`,
  '300 kB result': `async () => 'x'.repeat(300_000)`,
};

const median = (times: readonly number[]) =>
  times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;
async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

const local = LIVE ? undefined : await spawnLocal();
const connection = {
  api: new Origin(local?.url ?? 'https://api.e2b.app'),
  sandboxUrl: local?.url,
  domain: 'e2b.app',
};
const descriptionJson = JSON.stringify({ title: '', version: '', operations: [], capabilities: [], synonyms: {} });
const microvm = createE2bEngine({ connection, descriptionJson, maxRuns: 4 });
const quickjs = await createQuickjsEngine({ descriptionJson });

/** Does the same work without the engine: runs a program that exchanges `questions` messages over stdin and stdout. */
async function byHand(program: string, questions = 0): Promise<void> {
  const sandbox = await Sandbox.create('base', {
    apiUrl: connection.api.url,
    ...(local !== undefined && { sandboxUrl: local.url }),
    ...{ domain: connection.domain, apiKey: KEY, debug: false, timeoutMs: 60_000 },
  });
  try {
    if (questions === 0) {
      await sandbox.commands.run(`node -e '${program}'`);
      return;
    }
    let asked = 0;
    const running: CommandHandle = await sandbox.commands.run(`node -e '${program}'`, {
      background: true,
      stdin: true,
      onStdout: async text => {
        for (const _ of text.matchAll(/\n/g)) if (++asked <= questions) await running.sendStdin('{"status":200}\n');
      },
    });
    await running.wait();
  } finally {
    await sandbox.kill();
  }
}

const asking = (questions: number) =>
  `let left = ${questions}; const ask = () => console.log("{}"); process.stdin.on("data", () => --left ? ask() : process.exit()); ask()`;
const BY_HAND: Record<keyof typeof SOURCES, () => Promise<void>> = {
  'a value': () => byHand('console.log(1)'),
  'a call': () => byHand(asking(1), 1),
  '20 calls in turn': () => byHand(asking(20), 20),
  '300 kB result': () => byHand('console.log("x".repeat(300_000))'),
};

type Contender = [name: string, work: () => Promise<void>];
const contenders = Object.entries(SOURCES).flatMap(([name, source]): Contender[] => [
  [`by hand, ${name}`, BY_HAND[name as keyof typeof SOURCES]],
  [`e2b, ${name}`, () => run(microvm, source)],
  [`quickjs, ${name}`, () => run(quickjs, source)],
]);
const times = new Map(contenders.map(([name]) => [name, [] as number[]]));
for (const [, work] of contenders) await work();
for (let round = 0; round < ROUNDS; round++)
  for (const [name, work] of contenders) {
    // Waits until the sandbox of the previous contender has been killed.
    await new Promise(resolve => setTimeout(resolve, LIVE ? 1_500 : 150));
    times.get(name)?.push(await timed(work));
  }
await Promise.all([microvm.close(), quickjs.close()]);
local?.child.kill();

const { version } = JSON.parse(readFileSync(built('../package.json'), 'utf8')) as { version: string };
console.log(
  `${version}, Node ${process.version}, ${LIVE ? 'E2B' : `local mode, real processes, boot ${BOOT_MS} ms`}, median of ${ROUNDS} rounds\n`,
);
console.log('| | by hand | e2b | ratio | quickjs |\n|---|---|---|---|---|');
for (const name of Object.keys(SOURCES)) {
  const [hand = 0, e2b = 0, embedded = 0] = ['by hand', 'e2b', 'quickjs'].map(who =>
    median(times.get(`${who}, ${name}`) ?? []),
  );
  const ms = (time: number) => `${time < 10 ? time.toFixed(1) : Math.round(time)} ms`;
  console.log(`| ${name} | ${ms(hand)} | ${ms(e2b)} | ${(e2b / hand).toFixed(2)} | ${ms(embedded)} |`);
}
