// The type of a data plane: capabilities that an API offers the guest beside its REST operations. They belong to one
// run; their connections are shared by all runs.
import type { Describe } from './approvals.ts';
import { type Capabilities, type Capability, capabilitiesOf } from './capabilities.ts';

/** The run that the capabilities belong to. */
type DataPlaneRun = {
  readonly wallMs: number;
  /** Aborts when the run ends, for whatever reason. */
  readonly signal: AbortSignal;
  readonly requestId: string;
  readonly progress: ((message: string) => void) | undefined;
  /** The run began in an earlier request and was interrupted for an approval. */
  readonly resumed: boolean;
};

export type DataPlane = {
  /** All capabilities of the run, `api.request` included. */
  open(run: DataPlaneRun): Capabilities;
  /** Provides facts for the person who is asked for approval. */
  readonly describe?: Describe | undefined;
  close(): Promise<void>;
};

/** The data plane of an API that has only REST operations. */
export const requestsOnly = (request: Capability): DataPlane => ({
  open: () => capabilitiesOf({ 'api.request': request }),
  close: async () => {},
});
