// pnpm bench:approvals: the cost of a run that could be interrupted for an approval but is not. Sends the same calls to
// one gateway with X-Approvals off and ends in turn: trust the ratio. BENCH_BASE is the path of another build's
// dist/main.js, which is compared with this build without approvals.
import { drive, emptySample, type Load, quantile, type Sample } from './load.ts';
import { type Contender, startContender } from './processes.ts';

const ROUNDS = 24;
const TOOL = 'execute_write';
const LOADS: Readonly<Record<string, Load>> = {
  trivial: { tool: TOOL, code: 'async () => 1' },
  'three calls': {
    tool: TOOL,
    code: `async () => {
      for (let i = 0; i < 3; i++) await api.request({ method: 'GET', path: '/v2/sandboxes' });
      return 1;
    }`,
  },
};

const FREE = { RATE_LIMIT_PER_KEY: '0', MAX_PARALLEL_PER_KEY: '0', LOG_LEVEL: 'error' };
const { BENCH_BASE: base, BENCH_SECONDS = '40' } = process.env;
const cloud = await startContender('../main.js', ['--local-only'], FREE);
const start = (script: string) =>
  startContender(script, [], { ...FREE, E2B_API_URL: cloud.url, E2B_SANDBOX_URL: cloud.url });
const gateway = await start('../main.js');

type Side = { readonly name: string; readonly at: Contender; readonly policy: 'off' | 'ends' };
const off: Side = { name: 'off', at: gateway, policy: 'off' };
const pairs: (readonly [Side, Side])[] = [[off, { name: 'ends', at: gateway, policy: 'ends' }]];
if (base !== undefined) pairs.push([{ name: 'base', at: await start(base), policy: 'off' }, off]);
const roundMs = (Number(BENCH_SECONDS) * 1000) / (ROUNDS * 2 * pairs.length * Object.keys(LOADS).length);

for (const [what, load] of Object.entries(LOADS))
  for (const [one, other] of pairs) await compare(what, load, one, other);
process.exit(0);

async function compare(what: string, load: Load, one: Side, other: Side): Promise<void> {
  const ratios: number[] = [];
  const costs = { one: [] as number[], other: [] as number[] };
  const all = { one: emptySample(), other: emptySample() };
  for (let round = -2; round < ROUNDS; round++) {
    const samples = { one: emptySample(), other: emptySample() };
    const order = round % 2 === 0 ? (['one', 'other'] as const) : (['other', 'one'] as const);
    for (const side of order) await run(load, side === 'one' ? one : other, samples[side]);
    if (round < 0) continue;
    ratios.push(cpuMs(samples.other) / cpuMs(samples.one));
    for (const side of order) {
      add(all[side], samples[side]);
      costs[side].push(cpuMs(samples[side]));
    }
  }
  const more = (ratio: number) => `${ratio < 1 ? '' : '+'}${(100 * (ratio - 1)).toFixed(1)} %`;
  // Other programs on the machine only add time, so the cheaper rounds are the most reliable.
  const cheap = quantile(costs.other, 0.25) / quantile(costs.one, 0.25);
  const shown = (side: Side, sample: Sample) =>
    `${side.name} ${cpuMs(sample).toFixed(2)} ms CPU, p50 ${quantile(sample.ms, 0.5).toFixed(1)} ms`;
  console.log(
    `${what}: ${shown(one, all.one)} · ${shown(other, all.other)} · CPU of the cheaper rounds ${more(cheap)}, of all ${more(quantile(ratios, 0.5))} (half ${more(quantile(ratios, 0.25))} to ${more(quantile(ratios, 0.75))})`,
  );
}

/** Calls as a client that can show a form to a person. */
function run(load: Load, { at, policy }: Side, into: Sample): Promise<void> {
  return drive([at], load, {
    ...{ callers: 4, ms: roundMs, into },
    headers: {
      'x-approvals': policy,
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': TOOL,
    },
    meta: {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1.0.0' },
      'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } },
    },
  });
}

function cpuMs({ cpuSeconds, requests }: Sample): number {
  return (cpuSeconds * 1000) / requests;
}

function add(sum: Sample, sample: Sample): void {
  sum.requests += sample.requests;
  sum.cpuSeconds += sample.cpuSeconds;
  sum.ms.push(...sample.ms);
}
