// Builds the engine that runs agents' code from the configuration. Part of the composition root.

import { fileURLToPath } from 'node:url';
import { Answers } from './broker/answers.ts';
import type { Config } from './config.ts';
import { type Connection, connect } from './e2b/connection.ts';
import type { Engine } from './engine/engine.ts';
import type { E2bEngine, E2bOptions } from './engine/microvm/engine.ts';
import { createQuickjsEngine } from './engine/quickjs/engine.ts';
import { splitEngine } from './engine/split.ts';
import { builtFile, PACKAGE_ROOT } from './ground/built.ts';
import { HostTurns } from './ground/host-turns.ts';
import { omitUndefined } from './ground/omit-undefined.ts';
import type { Logger } from './log.ts';
import type { Product } from './product.ts';
import type { Description } from './spec/description.ts';
import { loadDescription } from './spec/load.ts';

type Engines = {
  readonly engine: Engine;
  /** Whether a sandbox is the engine's own, which agents must not see. See broker/e2b/runners.ts. */
  readonly isHidden: (sandboxId: string) => boolean;
};

/** The slowest part of a start. It is begun first, so that its threads start while the rest of the program loads. */
export type Begun = {
  readonly base: Description;
  readonly connection: Connection;
  readonly engines: Promise<Engines>;
  readonly turns: HostTurns;
  readonly answers: Answers;
};

export async function beginEngines(config: Config, log: Logger, { api }: Pick<Product, 'api'>): Promise<Begun> {
  const base = await loadDescription(fileURLToPath(new URL(api.descriptionFile, PACKAGE_ROOT)));
  const connection = connect({
    apiUrl: config.apiUrl,
    sandboxUrl: config.E2B_SANDBOX_URL,
    domain: config.E2B_DOMAIN,
  });
  const turns = new HostTurns();
  const answers = new Answers({ nice: config.THREAD_NICE, activity: turns.activity });
  const engines = createEngines(
    config,
    { connection, turns, checks: answers, descriptionJson: JSON.stringify(base) },
    log,
  );
  engines.catch(() => undefined); // createCore awaits it and throws the error
  return { base, connection, engines, turns, answers };
}

async function createEngines(
  config: Config,
  { descriptionJson, ...shared }: Pick<E2bOptions, 'connection' | 'turns' | 'checks' | 'descriptionJson'>,
  log: Logger,
): Promise<Engines> {
  const warn = (message: string, cause: unknown): void => log.warn({ err: cause }, message);
  const quickjs = (): Promise<Engine> =>
    createQuickjsEngine({
      descriptionJson,
      reader: builtFile('guest/accept/plain.js'),
      ...omitUndefined({ workers: config.WORKERS }),
      maxQueued: config.MAX_QUEUED_RUNS,
      warm: config.WARM_UP,
      nice: config.THREAD_NICE,
      log: warn,
    });
  const { SANDBOX_ENGINE: execute, SEARCH_ENGINE: search } = config;
  if (execute === 'quickjs' && search === 'quickjs') return { engine: await quickjs(), isHidden: () => false };

  const { createE2bEngine } = await import('./engine/microvm/engine.ts');
  const e2b: E2bEngine = createE2bEngine({
    descriptionJson,
    ...shared,
    template: config.E2B_TEMPLATE,
    runnerApiKey: config.E2B_RUNNER_API_KEY,
    maxRuns: config.E2B_MAX_RUNNERS,
    maxQueued: config.MAX_QUEUED_RUNS,
    log: warn,
  });
  const isHidden = (sandboxId: string): boolean => e2b.isRunner(sandboxId);
  if (execute === search) return { engine: e2b, isHidden };
  const embedded = await quickjs();
  return { engine: search === 'e2b' ? splitEngine(e2b, embedded) : splitEngine(embedded, e2b), isHidden };
}
