// Embedded engines, and runs on them with any caller and host, without the contract harness.
import { afterEach } from 'vitest';
import type { CallHost, Engine, Job, Limits, Outcome } from '../../src/engine/engine.ts';
import { createQuickjsEngine, type QuickjsOptions } from '../../src/engine/quickjs/engine.ts';
import { principalFromKey } from '../../src/principal.ts';
import { DESCRIPTION } from '../contract/description.ts';
import { LIMITS } from '../contract/harness.ts';

type Options = Partial<QuickjsOptions>;

export const openEngine = (options: Options = {}): Promise<Engine> =>
  createQuickjsEngine({ descriptionJson: DESCRIPTION, warm: false, ...options });

/** Returns a function that opens an engine for the current test; it is closed after the test. */
export function useEngine(): (options?: Options) => Promise<Engine> {
  let engine: Engine | undefined;
  afterEach(async () => {
    await engine?.close();
    engine = undefined;
  });
  return async options => {
    engine = await openEngine(options);
    return engine;
  };
}

export const delayed =
  (ms: number): CallHost =>
  () =>
    new Promise(resolve => setTimeout(() => resolve({ ok: true, json: '{"status":200}' }), ms));

type RunOptions = Partial<Omit<Job, 'limits'>> & { limits?: Partial<Limits>; as?: string };

export function start(on: Engine, source: string, { limits, as = 'a', ...rest }: RunOptions = {}): Promise<Outcome> {
  return on.run({
    source,
    surface: 'write',
    callHost: delayed(20),
    limits: { ...LIMITS, ...limits },
    signal: new AbortController().signal,
    principal: { ...principalFromKey(''), id: as },
    ...rest,
  });
}

export const codeOf = (outcome: Outcome) => (outcome.status === 'failed' ? outcome.error.code : outcome.status);

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 5));
}

export const THREE_CALLS = 'async () => { for (let i = 0; i < 3; i++) await api.request({ i }); return 3 }';
export const HOG = 'async () => { while (true) {} }';
