// Decides which calls need a person's approval before they are sent. Pure; knows neither the engine that is interrupted
// nor the client that asks the person.
import { GatewayError } from '../errors.ts';
import type { Policy } from '../ground/approval-policy.ts';
import type { Principal } from '../principal.ts';
import type { Act, LedgerEntry } from './ledger.ts';

/** A call that may need approval. */
export type Asked = {
  readonly label: string;
  readonly act: Act;
  /** What the call acts on inside a sandbox, e.g. a path or a command, as the agent's code wrote it. */
  readonly detail?: string;
};

/** `facts`: what the API says about the object of the call. Untrusted text: whoever made the object chose it. */
export type Question = Asked & { readonly facts?: string };

/** `unanswered`: the person closed the question. */
export type Decision = 'approved' | 'refused' | 'unanswered';

export type ApprovalRules = {
  readonly policy: Exclude<Policy, 'off'>;
  /** False: the client of this run cannot ask a person, so `fallback` applies. */
  readonly canAsk: boolean;
  readonly fallback: 'refuse' | 'pass';
  /** Kinds of acts that the person has approved for the rest of this run, see `kindOf`. */
  readonly granted: readonly string[];
  readonly describe?: Describe | undefined;
};

/** Asks the API about the object of an act. Undefined: the API gave no facts. Never rejects. */
export type Describe = (
  act: Act,
  who: { readonly principal: Principal; readonly signal: AbortSignal },
) => Promise<string | undefined>;

/** Maximum number of a run's questions for which facts are requested, since each takes one request. */
export const MAX_DESCRIBED = 20;

/** Thrown to stop a capability until a person has been asked. */
export class HeldCall extends Error {
  readonly question: Question;
  constructor(question: Question) {
    super('a person must approve the call first');
    this.question = question;
  }
}

/** `ends sandbox`. */
export const kindOf = ({ effect, resource }: Act): string => `${effect} ${resource ?? 'something'}`;

/** Why a call that needs approval may be sent. */
export type Passed = 'approved' | 'unasked';

/**
 * @returns undefined if the call needs no approval, `ask` if a person has to be asked
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

/** Whether the act is on a file, command or context in a sandbox that this run created. Not on the sandbox itself. */
function isInsideOwnSandbox({ resource, id, inside }: Act, ledger: readonly LedgerEntry[]): boolean {
  if (inside !== true || resource === 'sandbox' || id === undefined) return false;
  return ledger.some(({ made = [] }) => made.some(madeId => bare(madeId) === bare(id)));
}

/** To E2B, `<id>-<client>` and `<id>` are the same sandbox. */
const bare = (id: string) => id.split('-', 1)[0];

function refused({ label }: Asked, decision: 'refused' | 'unanswered'): GatewayError {
  const how = decision === 'refused' ? 'The person who was asked refused' : 'The person who was asked did not allow';
  return new GatewayError(
    'approval_refused',
    `${how}: ${label}. It was not sent. Do not try to reach the same in another way: go on without it, or return what you have.`,
  );
}
