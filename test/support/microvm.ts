// A local cloud with real processes, and the microVM engine against it.
import { createE2bEngine, type E2bEngine, type E2bOptions } from '../../src/engine/e2b/engine.ts';
import type { LocalCloud } from '../../src/local/server.ts';
import { type LocalOptions, startLocal } from '../../src/local/start.ts';
import { DESCRIPTION } from '../contract/harness.ts';

/** Local mode takes any key of this form. */
export const RUNNER_KEY = `e2b_${'0'.repeat(40)}`;

export function startProcessCloud(options: Partial<LocalOptions> = {}): Promise<LocalCloud> {
  return startLocal({
    port: 0,
    shell: 'process',
    limits: { maxRunningPerTeam: 1_000, maxLifeMs: 3_600_000 },
    ...options,
  });
}

export function microvmEngine(cloud: { readonly url: string }, options: Partial<E2bOptions> = {}): E2bEngine {
  return createE2bEngine({
    descriptionJson: DESCRIPTION,
    apiUrl: cloud.url,
    sandboxUrl: cloud.url,
    domain: 'e2b.localhost',
    runnerApiKey: RUNNER_KEY,
    ...options,
  });
}
