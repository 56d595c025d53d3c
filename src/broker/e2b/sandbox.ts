// The data plane's capabilities, by the name the guest calls them. The one export of this folder for the composition
// root: a session a run, and what all runs share (connections).

import type { Connection } from '../../e2b/connection.ts';
import { createWireFactory } from '../../e2b/wire.ts';
import type { Capability as Described } from '../../spec/description.ts';
import type { Describe } from '../approvals.ts';
import type { Capability } from '../broker.ts';
import type { AroundSend } from '../request.ts';
import { CODE } from './code.ts';
import { COMMANDS } from './commands.ts';
import { describeOver } from './facts.ts';
import { FILES } from './files.ts';
import { LIFECYCLE } from './lifecycle.ts';
import { PORTS } from './ports.ts';
import { sandboxRules } from './requests.ts';
import type { IsHidden } from './runners.ts';
import { Session, type SessionOptions } from './session.ts';
import { SNAPSHOTS } from './snapshots.ts';

const METHODS = { ...LIFECYCLE, ...SNAPSHOTS, ...COMMANDS, ...FILES, ...CODE, ...PORTS };

/** The names a guest may call, for tests that hold the description and the guest's side to them. */
export const SANDBOX_METHODS: readonly string[] = Object.keys(METHODS);

export type DataPlaneOptions = {
  readonly connection: Connection;
  /** 0: no limit. */
  readonly maxSandboxesPerKey: number;
  /** Of all answers of sandboxes that are still open. Default: a quarter of the heap. */
  readonly maxHeldBytes?: number;
  /** Sandboxes that run agents' code. Default: none. */
  readonly isHidden?: IsHidden;
  /** Makes `api.request`, held to the rules of this API. */
  readonly request: (around: AroundSend) => Capability;
  /** The described methods: what each does. */
  readonly methods: readonly Described[];
};

export type DataPlane = {
  /** The capabilities of one run: `api.request` and every `Sandbox.…`. */
  open(
    run: Pick<SessionOptions, 'wallMs' | 'signal' | 'requestId' | 'progress' | 'resumed'>,
  ): Readonly<Record<string, Capability>>;
  readonly describe: Describe;
  close(): Promise<void>;
};

export function createDataPlane(options: DataPlaneOptions): DataPlane {
  const { connection, maxSandboxesPerKey, isHidden = () => false, request } = options;
  const wires = createWireFactory(options.maxHeldBytes);
  const underWay = new Map<string, number>();
  const acts = new Map(options.methods.map(({ id, effect, resource }) => [id, { effect, resource }]));
  return {
    open(run) {
      const session = new Session({ ...run, connection, wires, maxSandboxesPerKey, underWay, isHidden, acts });
      const methods = Object.entries(METHODS).map(([id, method]) => [id, method(session)] as const);
      return { 'api.request': request(sandboxRules(session)), ...Object.fromEntries(methods) };
    },
    describe: describeOver(connection),
    close: wires.close,
  };
}
