// What the gateway serves: an API, and a data plane if the API has one. Part of the composition root; to serve another
// API, make another value of this type.

import type { Api } from './api.ts';
import type { Capability } from './broker/capabilities.ts';
import type { DataPlane } from './broker/data-plane.ts';
import type { AroundSend } from './broker/request.ts';
import type { Config } from './config.ts';
import { E2B } from './e2b/api.ts';
import type { Connection } from './e2b/connection.ts';
import type { Capability as Described } from './spec/description.ts';

export type Product = {
  readonly api: Api;
  /** Undefined: the guest can only call `api.request`. */
  readonly createDataPlane?: (config: Config, parts: DataPlaneParts) => Promise<DataPlane>;
};

type DataPlaneParts = {
  readonly connection: Connection;
  /** Makes the capability `api.request`, whose requests the guard checks. */
  readonly request: (around: AroundSend) => Capability;
  /** The methods that the description lists beside the operations. */
  readonly methods: readonly Described[];
  /** Whether the engine uses the sandbox to run agents' code; agents must not see such sandboxes. */
  readonly isHidden: (sandboxId: string) => boolean;
};

export const E2B_PRODUCT: Product = {
  api: E2B,
  // Imported when it is first used: the SDK is large, and nothing else needs it.
  async createDataPlane(config, parts) {
    const { createDataPlane } = await import('./broker/e2b/sandbox.ts');
    return createDataPlane({ ...parts, maxSandboxesPerKey: config.MAX_SANDBOXES_PER_KEY });
  },
};
