// Creates E2B's data plane: all capabilities by the name that the guest uses, with one session per run and connections
// that all runs share. The composition root imports only this file of the folder.

import type { Connection } from '../../e2b/connection.ts';
import { WireFactory } from '../../e2b/wire.ts';
import type { Capability as Described } from '../../spec/description.ts';
import type { Describe } from '../approvals.ts';
import type { Capabilities, Capability } from '../capabilities.ts';
import type { AroundSend } from '../request.ts';
import { CODE } from './code.ts';
import { COMMANDS } from './commands.ts';
import { describeOver } from './facts.ts';
import { FILES } from './files.ts';
import { LIFECYCLE } from './lifecycle.ts';
import { PORTS } from './ports.ts';
import { sandboxRules } from './requests.ts';
import type { IsHidden } from './runners.ts';
import { type Creation, Session, type SessionOptions } from './session.ts';
import { SNAPSHOTS } from './snapshots.ts';

const METHODS = { ...LIFECYCLE, ...SNAPSHOTS, ...COMMANDS, ...FILES, ...CODE, ...PORTS };

/** The names that a guest may call. Tests compare the description and the prelude with them. */
export const SANDBOX_METHODS: readonly string[] = Object.keys(METHODS);

const API_REQUEST = 'api.request';
const METHODS_BY_NAME = new Map<string, (session: Session) => Capability>(Object.entries(METHODS));

export type DataPlaneOptions = {
  readonly connection: Connection;
  /** 0: no limit. */
  readonly maxSandboxesPerKey: number;
  /** Maximum size of all open responses from sandboxes together. Default: a quarter of the heap. */
  readonly maxHeldBytes?: number;
  /** Whether a sandbox is one that runs agents' code. Default: none is. */
  readonly isHidden?: IsHidden;
  /** Makes `api.request` with the rules of this API. */
  readonly request: (around: AroundSend) => Capability;
  /** The methods in the description, with their effects. */
  readonly methods: readonly Described[];
};

export type DataPlane = {
  /** The capabilities of one run: `api.request` and every `Sandbox.…`. */
  open(run: Pick<SessionOptions, 'wallMs' | 'signal' | 'requestId' | 'progress' | 'resumed'>): Capabilities;
  readonly describe: Describe;
  close(): Promise<void>;
};

export function createDataPlane(options: DataPlaneOptions): DataPlane {
  const { connection, maxSandboxesPerKey, isHidden = () => false, request } = options;
  const wires = new WireFactory(options.maxHeldBytes);
  const underWay = new Map<string, Set<Creation>>();
  const acts = new Map(options.methods.map(({ id, effect, resource }) => [id, { effect, resource }]));
  return {
    open(run) {
      const session = new Session({ ...run, connection, wires, maxSandboxesPerKey, underWay, isHidden, acts });
      const opened = new Map<string, Capability>();
      const make = (name: string) =>
        name === API_REQUEST ? request(sandboxRules(session)) : METHODS_BY_NAME.get(name)?.(session);
      return {
        names: [API_REQUEST, ...SANDBOX_METHODS],
        find(name) {
          const capability = opened.get(name) ?? make(name);
          if (capability !== undefined) opened.set(name, capability);
          return capability;
        },
      };
    },
    describe: describeOver(connection),
    close: () => wires.close(),
  };
}
