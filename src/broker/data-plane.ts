// What an API offers to the guest beside its REST operations: capabilities of one run, over connections that all runs
// share.
import type { Describe } from './approvals.ts';
import type { Capability } from './broker.ts';

/** The run that calls them. */
type DataPlaneRun = {
  readonly wallMs: number;
  /** Aborts when the run ends, for whatever reason. */
  readonly signal: AbortSignal;
  readonly requestId: string;
  readonly progress: ((message: string) => void) | undefined;
  /** It began in an earlier request, and was interrupted for an approval. */
  readonly resumed: boolean;
};

export type DataPlane = {
  /** All capabilities of the run by name, `api.request` included. */
  open(run: DataPlaneRun): Readonly<Record<string, Capability>>;
  /** For the person who is asked for approval. */
  readonly describe?: Describe | undefined;
  close(): Promise<void>;
};

/** Of an API that has nothing beside its operations. */
export const requestsOnly = (request: Capability): DataPlane => ({
  open: () => ({ 'api.request': request }),
  close: async () => {},
});
