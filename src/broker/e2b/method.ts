// Makes a capability from a `Sandbox` method: names the call in the ledger, refuses writes in execute_read before
// anything is sent, checks the arguments, and masks secrets in the result.
import type { z } from 'zod';
import { GatewayError } from '../../errors.ts';
import type { JsonText } from '../../ground/json-text.ts';
import type { Effect, Mode } from '../../spec/description.ts';
import { maskSecrets } from '../../upstream/redact.ts';
import type { Asked } from '../approvals.ts';
import type { CallContext, Capability } from '../capabilities.ts';
import { SANDBOX_ID } from '../ledger.ts';
import { parseArguments } from './arguments.ts';
import { toFailure } from './errors.ts';
import { refuseRunner } from './runners.ts';
import { SandboxCall } from './sandbox-call.ts';
import type { Session } from './session.ts';

type Definition<Args> = {
  readonly mode: Mode;
  readonly args: z.ZodType<Args>;
  /** The effect of a call whose arguments make it differ from the described effect of the method. */
  readonly effectOf?: (args: Args) => Effect | undefined;
  /** True if the result contains data from E2B's API: its secrets are masked as in api.request. */
  readonly redact?: boolean;
  readonly run: (args: Args, call: SandboxCall) => Promise<unknown>;
};

/** A result that `run` has composed and masked itself, because it may be large. */
export class MaskedJson {
  readonly json: JsonText;
  constructor(json: JsonText) {
    this.json = json;
  }
}

/** Makes the method a capability of the run to which the session belongs. */
export type SandboxMethod = (session: Session) => Capability;

export function method<Args>(id: string, definition: Definition<Args>): SandboxMethod {
  const write = definition.mode === 'write';
  return session => async (raw, context) => {
    const named = nameCall(id, raw, write, session, context);
    if (write && context.mode === 'read') {
      throw new GatewayError(
        'method_refused',
        `${id} changes something, and execute_read only reads. Use execute_write.`,
      );
    }
    const args = parseArguments(id, definition.args, raw);
    const { sandboxId, opts } = args as { sandboxId?: unknown; opts?: { requestTimeoutMs?: number } };
    if (typeof sandboxId === 'string') refuseRunner(sandboxId, session.options.isHidden);
    if (context.mode === 'write' && context.approve !== undefined) {
      const effect = definition.effectOf?.(args) ?? named.act.effect;
      await context.approve({ ...named, act: { ...named.act, effect }, ...detailIn(args) });
    }
    const value = await definition
      .run(args, new SandboxCall(session, context, opts?.requestTimeoutMs))
      .catch((caught: unknown) => {
        throw toFailure(caught, context.signal.aborted, { apiKey: context.principal.apiKey, tokens: [] }).error;
      });
    const plain = definition.redact === true ? maskSecrets(value) : value;
    if (plain instanceof MaskedJson) return plain.json;
    return context.maskedJson(JSON.stringify(plain ?? null), 'json');
  };
}

/** Names the call before its arguments are checked, so that the ledger also has calls that are refused. */
function nameCall(id: string, raw: unknown, write: boolean, session: Session, { call }: CallContext): Asked {
  const { sandboxId } = (raw ?? {}) as { sandboxId?: unknown };
  const described = session.options.acts.get(id) ?? { effect: 'changes' };
  const named = typeof sandboxId === 'string' && SANDBOX_ID.test(sandboxId);
  const act = named ? { ...described, id: sandboxId, ...(isInside(id) && { inside: true as const }) } : described;
  const label = named ? `${id} ${sandboxId}` : id;
  call.name(label, write, act);
  return { label, act };
}

/** Whether the method is sent to the sandbox, not to the API: `Sandbox.files.remove`, `Sandbox.removeCodeContext`. */
const isInside = (id: string): boolean => /^Sandbox\.(?:\w+\.|\w*CodeContexts?$)/.test(id);

const DETAILS = ['path', 'oldPath', 'pid', 'contextId', 'snapshotId', 'cmd', 'code'] as const;
const MAX_DETAIL_CHARS = 200;

/** What a person should see beside the sandbox's id, e.g. which file or which command. */
function detailIn(args: unknown): { detail?: string } {
  const given = args as Readonly<Record<string, unknown>>;
  const name = DETAILS.find(detail => given[detail] !== undefined);
  return name === undefined ? {} : { detail: `${name} ${String(given[name]).slice(0, MAX_DETAIL_CHARS)}` };
}
