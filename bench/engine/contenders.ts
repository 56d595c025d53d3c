// The contenders: the engine, and three others that do the same work with less isolation or at a higher cost.
import { Worker } from 'node:worker_threads';
import type { Limits } from '../../src/engine/engine.ts';
import { principalFromKey } from '../../src/principal.ts';
import type { Description } from '../../src/spec/description.ts';
import { ANSWERS, makeSpec, type Scenario } from './scenarios.ts';

export type Contender = { run(scenario: Scenario): Promise<unknown>; close(): Promise<void> };

export const NAMES = ['bare', 'vm', 'run', 'quickjs'] as const;
export type Name = (typeof NAMES)[number];

export const LIMITS: Limits = {
  wallMs: 60_000,
  cpuMs: 20_000,
  memoryBytes: 64 << 20,
  maxResultChars: 400_000,
  maxLogChars: 20_000,
  maxCallChars: 1_000_000,
  maxCallValues: 20_000,
  maxPendingCalls: 32,
  maxDisplayBytes: 1_000_000,
};

const answerOf = async ({ answer, delayMs }: Scenario): Promise<string> => {
  if (delayMs >= 0) await new Promise(resolve => setTimeout(resolve, delayMs));
  return ANSWERS[answer];
};

const specJson = JSON.stringify(makeSpec());

/** A plain function in the host: the lower bound. */
function bare(): Contender {
  return {
    async run(scenario) {
      const make = new Function('call', 'spec', `return async () => { ${scenario.body} }`);
      const call = async () => JSON.parse(await answerOf(scenario)) as unknown;
      const result: unknown = await make(call, scenario.search ? JSON.parse(specJson) : undefined)();
      return JSON.parse(JSON.stringify(result));
    },
    close: async () => undefined,
  };
}

const VM_WORKER = `
const { parentPort, workerData } = require('node:worker_threads');
const vm = require('node:vm');
const pending = new Map();
parentPort.on('message', async m => {
  if (m.answer !== undefined) { const settle = pending.get(m.call); pending.delete(m.call); settle(m.answer); return; }
  let calls = 0;
  const ask = () => new Promise(resolve => { const call = m.id + ':' + calls++; pending.set(call, resolve); parentPort.postMessage({ id: m.id, call }); });
  const context = vm.createContext({ ask, specJson: m.search ? workerData : undefined });
  const result = await vm.runInContext('(async () => { const call = async () => JSON.parse(await ask()); const spec = specJson && JSON.parse(specJson); ' + m.body + ' })().then(r => JSON.stringify(r))', context, { timeout: 20000 });
  parentPort.postMessage({ id: m.id, result });
});`;

/** worker_threads and node:vm, a new context per run: no security boundary, but the same messages between threads. */
function vmWorkers(): Contender {
  const workers = [0, 1].map(() => new Worker(VM_WORKER, { eval: true, workerData: specJson }));
  const running = new Map<number, { scenario: Scenario; resolve: (result: unknown) => void }>();
  let last = 0;
  for (const worker of workers)
    worker.on('message', (m: { id: number; call?: string; result?: string }) => {
      const job = running.get(m.id);
      if (job === undefined) return;
      if (m.call !== undefined)
        void answerOf(job.scenario).then(answer => worker.postMessage({ call: m.call, answer }));
      else {
        running.delete(m.id);
        job.resolve(JSON.parse(m.result ?? 'null'));
      }
    });
  return {
    run: scenario =>
      new Promise(resolve => {
        const id = ++last;
        running.set(id, { scenario, resolve });
        workers[id % 2]?.postMessage({ id, body: scenario.body, search: scenario.search });
      }),
    close: async () => void (await Promise.all(workers.map(worker => worker.terminate()))),
  };
}

/** The npm package `run`, which also uses QuickJS, with one worker per run. */
async function npmRun(): Promise<Contender> {
  const { createRunner, setMaxWorkers } = await import('run');
  setMaxWorkers(64);
  const runner = createRunner();
  return {
    async run(scenario) {
      const spec: unknown = scenario.search ? JSON.parse(specJson) : undefined;
      const hostFunctions = {
        host: { call: async () => JSON.parse(await answerOf(scenario)) as unknown, spec: () => spec },
      };
      const source = `const call = n => host.call(n); ${scenario.search ? 'const spec = await host.spec();' : ''} ${scenario.body}`;
      const result = await runner.run({ source, hostFunctions });
      if (result.status !== 'completed') throw new Error(JSON.stringify(result).slice(0, 500));
      return result.value;
    },
    close: async () => undefined,
  };
}

/** Loads the engine from the build, because its workers run from dist/. */
export async function loadEngine() {
  const built = new URL('../engine/quickjs/engine.js', import.meta.url).href;
  const { createQuickjsEngine } = (await import(built)) as typeof import('../../src/engine/quickjs/engine.ts');
  return createQuickjsEngine;
}

async function quickjs(): Promise<Contender> {
  const createQuickjsEngine = await loadEngine();
  const engine = await createQuickjsEngine({ descriptionJson: describeSpec() });
  return {
    async run(scenario) {
      const outcome = await engine.run({
        source: `async () => { ${scenario.search ? '' : 'const call = n => api.request({ n });'} ${scenario.body} }`,
        surface: scenario.search ? 'search' : 'read',
        callHost: async () => ({ ok: true, json: await answerOf(scenario) }),
        limits: LIMITS,
        signal: new AbortController().signal,
        principal: principalFromKey(''),
      });
      if (outcome.status !== 'completed') throw new Error(JSON.stringify(outcome));
      return JSON.parse(outcome.json) as unknown;
    },
    close: () => engine.close(),
  };
}

function describeSpec(): string {
  const operations = Object.entries(makeSpec().paths).map(([path, { get }]) => {
    const { summary, parameters } = get as {
      summary: string;
      parameters: Description['operations'][number]['parameters'];
    };
    return {
      id: `GET ${path}`,
      method: 'GET',
      path,
      summary,
      keywords: [],
      deprecated: false,
      parameters,
      answers: {},
    } as const;
  });
  return JSON.stringify({ title: 'Bench', version: '1', operations, capabilities: [], synonyms: {} });
}

export async function makeContender(name: Name): Promise<Contender> {
  if (name === 'bare') return bare();
  if (name === 'vm') return vmWorkers();
  return name === 'run' ? npmRun() : quickjs();
}
