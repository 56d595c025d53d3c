// What the registry of sandboxes is made with.
import type { Clock } from './clock.ts';
import type { MachineFactory } from './sandbox.ts';

export type CloudLimits = { readonly maxRunningPerTeam: number; readonly maxLifeMs: number };

/** The free tier's: 20 at once, an hour each. */
export const FREE_TIER: CloudLimits = { maxRunningPerTeam: 20, maxLifeMs: 3_600_000 };

export type CloudOptions = {
  readonly machineFactory?: MachineFactory | undefined;
  readonly clock?: Clock | undefined;
  readonly limits?: CloudLimits | undefined;
  /** Called with a sentence for what is accepted and not done. */
  readonly warn?: ((message: string) => void) | undefined;
};
