// Which calls a person is asked about before they are sent. Pure decisions; knows neither the engine that is interrupted
// nor the client that asks.
import { GatewayError } from '../errors.ts';
import type { Policy } from '../ground/approval-policy.ts';
import type { Principal } from '../principal.ts';
import type { Act, LedgerEntry } from './ledger.ts';

/** A call that may need approval, as it would be sent. */
export type Asked = {
  readonly label: string;
  readonly act: Act;
  /** What it acts on inside of a sandbox: a path, a command. As the agent's code wrote it. */
  readonly detail?: string;
};

/** `facts`: what the API says of what the call acts on. Text of whoever made it. */
export type Question = Asked & { readonly facts?: string };

/** `unanswered`: the person closed the question. */
export type Decision = 'approved' | 'refused' | 'unanswered';

export type ApprovalRules = {
  readonly policy: Exclude<Policy, 'off'>;
  /** False: the client of this run cannot ask a person, and `fallback` says what then. */
  readonly canAsk: boolean;
  readonly fallback: 'refuse' | 'pass';
  /** Kinds of acts that the person has approved for the rest of this run, see `kindOf`. */
  readonly granted: readonly string[];
  readonly describe?: Describe | undefined;
};

/** What the API says of what an act is on; undefined where it does not say. Never rejects. */
export type Describe = (
  act: Act,
  who: { readonly principal: Principal; readonly signal: AbortSignal },
) => Promise<string | undefined>;

/** Of all the questions of a run, so many are looked up: one request each. */
export const MAX_DESCRIBED = 20;

/** Thrown out of a capability that must not go on before a person was asked. */
export class HeldCall extends Error {
  readonly question: Question;
  constructor(question: Question) {
    super('a person is asked first');
    this.question = question;
  }
}

/** `ends sandbox`. */
export const kindOf = ({ effect, resource }: Act): string => `${effect} ${resource ?? 'something'}`;

/** Why a call that needs approval was let through. */
export type Passed = 'approved' | 'unasked';

/**
 * @returns undefined where the policy asks for nothing, `ask` where a person has to be asked
 * @throws GatewayError `approval_refused`, `approval_unavailable`
 */
export function judge(
  asked: Asked,
  rules: ApprovalRules,
  ledger: readonly LedgerEntry[],
  decision: Decision | undefined,
): Passed | 'ask' | undefined {
  if (!needsApproval(asked.act, rules.policy, ledger)) return undefined;
  if (decision === 'approved' || rules.granted.includes(kindOf(asked.act))) return 'approved';
  if (decision !== undefined) throw refused(asked, decision);
  if (rules.canAsk) return 'ask';
  if (rules.fallback === 'pass') return 'unasked';
  throw new GatewayError('approval_unavailable');
}

function needsApproval(act: Act, policy: ApprovalRules['policy'], ledger: readonly LedgerEntry[]): boolean {
  if (policy === 'writes') return act.effect !== 'none' && act.effect !== 'lists';
  return act.effect === 'ends' && !isInsideOwnSandbox(act, ledger);
}

/** Files, commands and contexts of a sandbox that this run has made. The sandbox itself is not inside of it. */
function isInsideOwnSandbox({ resource, id, inside }: Act, ledger: readonly LedgerEntry[]): boolean {
  if (inside !== true || resource === 'sandbox' || id === undefined) return false;
  return ledger.some(({ made = [] }) => made.some(madeId => bare(madeId) === bare(id)));
}

/** `<id>-<client>` is the same sandbox. */
const bare = (id: string) => id.split('-', 1)[0];

function refused({ label }: Asked, decision: 'refused' | 'unanswered'): GatewayError {
  const how = decision === 'refused' ? 'The person who was asked refused' : 'The person who was asked did not allow';
  return new GatewayError(
    'approval_refused',
    `${how}: ${label}. It was not sent. Do not try to reach the same in another way: go on without it, or return what you have.`,
  );
}
