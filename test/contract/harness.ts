// Shared by all parts of the contract suite: default limits, a host that replies, and functions to run a piece of code.
import { expect } from 'vitest';
import type { CallHost, Engine, GuestError, Job, Limits, Outcome } from '../../src/engine/engine.ts';
import { wholeText } from '../../src/ground/json-text.ts';
import { principalFromKey } from '../../src/principal.ts';

export const LIMITS: Limits = {
  wallMs: 5_000,
  cpuMs: 2_000,
  memoryBytes: 64 * 1024 * 1024,
  maxResultChars: 400_000,
  maxLogChars: 20_000,
  maxCallChars: 1_000_000,
  maxCallValues: 20_000,
  maxPendingCalls: 32,
  maxDisplayBytes: 1_000_000,
};

/** Limits for code that must be stopped: short, but long enough for a slow start. */
export const TIGHT: Partial<Limits> = { cpuMs: 150, wallMs: 1_000 };

export const principal = principalFromKey('');

/** Replies to every call with the call itself, after a turn of the event loop. */
export const echoHost: CallHost = async call => {
  await new Promise(resolve => setImmediate(resolve));
  return {
    ok: true,
    json: JSON.stringify({ capability: call.capability, args: JSON.parse(wholeText(call.argsJson)) }),
  };
};

export type RunOptions = Partial<Omit<Job, 'source' | 'limits'>> & { readonly limits?: Partial<Limits> };

export type SuiteOptions = {
  /**
   * Each run has its own machine, which takes a while to start. So cases run concurrently, and it is not checked
   * after each of them whether the next run is affected.
   */
  readonly machinePerRun?: boolean;
};

export class Harness {
  readonly options: SuiteOptions;
  #engine: Engine | undefined;
  #makeEngine: (() => Promise<Engine>) | undefined;

  constructor(options: SuiteOptions = {}) {
    this.options = options;
  }

  async open(makeEngine: () => Promise<Engine>): Promise<void> {
    this.#makeEngine = makeEngine;
    this.#engine = await makeEngine();
  }

  /** Opens a separate engine for a case that would change what other runs see. */
  async another(): Promise<Harness> {
    if (this.#makeEngine === undefined) throw new Error('the engine is not open');
    const other = new Harness(this.options);
    await other.open(this.#makeEngine);
    return other;
  }

  async close(): Promise<void> {
    await this.#engine?.close();
  }

  get engine(): Engine {
    if (this.#engine === undefined) throw new Error('the engine is not open');
    return this.#engine;
  }

  run(source: string, { limits, ...rest }: RunOptions = {}): Promise<Outcome> {
    return this.engine.run({
      source,
      surface: 'write',
      callHost: echoHost,
      limits: { ...LIMITS, ...limits },
      signal: new AbortController().signal,
      principal,
      ...rest,
    });
  }

  /** The result of code that must complete. */
  async value(source: string, options: RunOptions = {}): Promise<unknown> {
    const outcome = await this.run(source, options);
    if (outcome.status !== 'completed') expect.fail(`${outcome.status}: ${JSON.stringify(outcome)}`);
    return JSON.parse(outcome.json);
  }

  /** The error of code that must fail. */
  async error(source: string, options: RunOptions = {}): Promise<GuestError> {
    const outcome = await this.run(source, options);
    if (outcome.status !== 'failed') expect.fail(`${outcome.status}: ${JSON.stringify(outcome).slice(0, 300)}`);
    return outcome.error;
  }
}

/** Checks that an outcome is valid under the contract, whatever the guest did. */
export function expectWellFormed(outcome: Outcome, limits: Limits = LIMITS): void {
  if (outcome.status === 'completed') expect(() => JSON.parse(outcome.json)).not.toThrow();
  else if (outcome.status === 'failed') {
    expect(outcome.error.name).not.toBe('');
    expect(outcome.error.message.length).toBeLessThanOrEqual(8_000);
  }
  expect(outcome.stdout.length).toBeLessThanOrEqual(limits.maxLogChars);
  expect(outcome.stderr.length).toBeLessThanOrEqual(limits.maxLogChars);
}
