// What the gateway serves: an API and, where it has one, its data plane. Part of the composition root; another API is
// another value of this type.

import type { Api } from './api.ts';
import type { Capability } from './broker/broker.ts';
import type { DataPlane } from './broker/data-plane.ts';
import type { AroundSend } from './broker/request.ts';
import type { Config } from './config.ts';
import { E2B } from './e2b/api.ts';
import type { Connection } from './e2b/connection.ts';
import type { Capability as Described } from './spec/description.ts';

export type Product = {
  readonly api: Api;
  /** Undefined: the guest has `api.request` alone. */
  readonly createDataPlane?: (config: Config, parts: DataPlaneParts) => Promise<DataPlane>;
};

type DataPlaneParts = {
  readonly connection: Connection;
  /** Makes `api.request`, held to the rules of the API. */
  readonly request: (around: AroundSend) => Capability;
  /** What the description has beside the operations. */
  readonly methods: readonly Described[];
  /** Sandboxes in which the engine runs agents' code. */
  readonly isHidden: (sandboxId: string) => boolean;
};

export const E2B_PRODUCT: Product = {
  api: E2B,
  // Loaded beside the start: the SDK is large, and nothing else needs it.
  async createDataPlane(config, parts) {
    const { createDataPlane } = await import('./broker/e2b/sandbox.ts');
    return createDataPlane({ ...parts, maxSandboxesPerKey: config.MAX_SANDBOXES_PER_KEY });
  },
};
