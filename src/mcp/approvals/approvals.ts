// Asks the person behind the client to approve the held calls of a run, and continues the run when they have answered,
// on this replica or another. Stores only which answers were used.
import { createHash, randomUUID } from 'node:crypto';
import { type InputRequiredResult, inputRequired } from '@modelcontextprotocol/server';
import type { Answers } from '../../broker/answers.ts';
import type { ApprovalRules, Question } from '../../broker/approvals.ts';
import type { Earlier } from '../../broker/broker.ts';
import type { LedgerEntry } from '../../broker/ledger.ts';
import type { AskHost } from '../../engine/engine.ts';
import { Tape } from '../../engine/tape.ts';
import { GatewayError } from '../../errors.ts';
import { type Policy, stricter } from '../../ground/approval-policy.ts';
import type { HostTurns } from '../../ground/host-turns.ts';
import type { Lazy } from '../../ground/lazy.ts';
import { HOLD_ANYTHING, type Hold } from '../../ground/memory-budget.ts';
import { omitUndefined } from '../../ground/omit-undefined.ts';
import { PACKAGE } from '../../ground/package.ts';
import type { Seal } from '../../ground/seal.ts';
import type { Logger } from '../../log.ts';
import type { Principal } from '../../principal.ts';
import { type Answer, answerIn, formFor, type Held } from './question.ts';
import type { Binding, State } from './state.ts';
import { type StateCaller, States } from './states.ts';

/** The parts of a tool call that approvals need. */
export type Asking = {
  readonly tool: string;
  readonly surface: string;
  readonly code: unknown;
  readonly principal: Principal;
  /** Policy from the request's header. The stricter of it and the operator's policy applies. */
  readonly approvals: Policy;
  /** Whether the client declares that it can show a form to a person. */
  readonly canAsk: boolean;
  readonly requestState: unknown;
  readonly inputResponses: Readonly<Record<string, unknown>> | undefined;
  readonly signal: AbortSignal;
  /** Charges the caller for memory that the run uses until its response is sent. Undefined (stdio): no charge. */
  readonly hold: Hold | undefined;
};

/** `asked` counts the calls that a person was asked about; the other values count the answers. */
export type ApprovalRecord = {
  readonly answer: 'asked' | 'approved' | 'refused' | 'unanswered';
  readonly count: number;
};

/** Returns true the first time that an answer is used. @throws GatewayError `approval_unchecked` */
export type Once = (nonce: string, lifeSeconds: number) => Promise<boolean>;

export type ApprovalDeps = {
  /** Lazy, because the module is loaded when it is first needed. */
  readonly seal: Lazy<Seal>;
  readonly once: Once;
  readonly policy: Policy;
  readonly fallback: ApprovalRules['fallback'];
  readonly maxStateChars: number;
  readonly engine: string;
  readonly turns: HostTurns;
  readonly answers: Answers;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly onApproval: ((record: ApprovalRecord) => void) | undefined;
  readonly log: Logger;
};

const LIFE_MS = 15 * 60_000;
/** Recorded characters per character of the state: compression shrinks a tape by this factor at best. */
const TAPE_CHARS = 4;
const KEY = 'approval';
/** Maximum number of calls that a log entry lists; it has the count of all. */
const MAX_LOGGED = 20;

/** A run for which approvals apply: how it starts or continues, and how it is suspended. */
export type ApprovedRun = {
  readonly rules: ApprovalRules;
  readonly earlier: Earlier | undefined;
  /** Undefined: the client cannot ask, so the run cannot be interrupted. */
  tape(askHost: AskHost<Question>, hold: (bytes: number) => boolean): Tape<Question> | undefined;
  /** @throws GatewayError `approval_too_large` */
  suspend(
    tape: Tape<Question> | undefined,
    ledger: readonly LedgerEntry[],
    requestId: string,
  ): Promise<InputRequiredResult>;
};

type Resumed = { readonly state: State; readonly answer: Answer; readonly beforeSending: () => Promise<void> };

export class Approvals {
  readonly #deps: ApprovalDeps;
  readonly #states: States;

  constructor(deps: ApprovalDeps) {
    this.#deps = deps;
    this.#states = new States(deps);
  }

  /**
   * Returns undefined if the call needs no approvals, and the question again if the request carries no answer to it.
   * @throws GatewayError if the answer is not valid here, or the caller uses too much memory already
   */
  async begin(call: Asking, requestId: string): Promise<ApprovedRun | InputRequiredResult | undefined> {
    const policy = stricter(this.#deps.policy, call.approvals);
    if (call.requestState === undefined) {
      return call.surface === 'write' && policy !== 'off' ? this.#run(call, policy) : undefined;
    }
    const state = await this.#states.open(call.requestState, this.#bindingOf(call), this.#deps.now(), callerOf(call));
    const answer = answerIn(call.inputResponses?.[KEY], state.held);
    if (answer === undefined) return questionOf(state.held, String(call.requestState));
    const beforeSending = async () => {
      if (!(await this.#deps.once(state.nonce, LIFE_MS / 1000))) throw new GatewayError('approval_used');
      this.#note(call, state, answer, requestId);
    };
    return this.#run(call, stricter(policy, state.policy), { state, answer, beforeSending });
  }

  #run(call: Asking, policy: Policy, resumed?: Resumed): ApprovedRun {
    const { fallback, maxStateChars } = this.#deps;
    const { state, answer, beforeSending } = resumed ?? {};
    const granted = [...(state?.granted ?? []), ...(answer?.granted ?? [])];
    return {
      rules: { policy: policy === 'off' ? 'ends' : policy, canAsk: call.canAsk, fallback, granted },
      earlier: state && { ledger: state.ledger, answerBytes: state.recording.chars },
      tape: (askHost, hold) => {
        if (!call.canAsk && state === undefined) return undefined;
        const maxChars = maxStateChars * TAPE_CHARS;
        const replay = {
          recording: state?.recording,
          ...omitUndefined({ decisions: answer?.decisions, beforeSending }),
        };
        return new Tape({ askHost, hold, maxChars, ...replay });
      },
      suspend: async (tape, ledger, requestId) => {
        if (tape === undefined) throw new GatewayError('internal');
        const held = [...tape.held];
        const askedMs = this.#deps.now();
        const packed: State = {
          ...{ binding: this.#bindingOf(call), policy, nonce: randomUUID(), askedMs, expiresMs: askedMs + LIFE_MS },
          ...{ recording: tape.recording(), ledger, held, granted },
        };
        const sealed = await this.#states.pack(packed, callerOf(call));
        this.#deps.log.info({ ...logged(call, held, requestId), stateChars: sealed.length }, 'approval asked for');
        this.#deps.onApproval?.({ answer: 'asked', count: held.length });
        return questionOf(held, sealed);
      },
    };
  }

  #note(call: Asking, { held, askedMs }: State, { decisions }: Answer, requestId: string): void {
    const counts = { approved: 0, refused: 0, unanswered: 0 };
    for (const decision of decisions.values()) counts[decision] += 1;
    this.#deps.log.info(
      { ...logged(call, held, requestId), ...counts, waitedMs: this.#deps.now() - askedMs },
      'approval answered',
    );
    for (const answer of ['approved', 'refused', 'unanswered'] as const)
      if (counts[answer] > 0) this.#deps.onApproval?.({ answer, count: counts[answer] });
  }

  #bindingOf({ principal, tool, code }: Asking): Binding {
    const codeHash = createHash('sha256').update(String(code)).digest('base64url');
    const build = `${PACKAGE.version} ${this.#deps.engine} ${process.versions.node}`;
    return { principalId: principal.id, tool, codeHash, build };
  }
}

const callerOf = ({ signal, hold = HOLD_ANYTHING }: Asking): StateCaller => ({ signal, hold });

const questionOf = (held: Held, requestState: string): InputRequiredResult =>
  inputRequired({ inputRequests: { [KEY]: inputRequired.elicit(formFor(held) as never) }, requestState });

const logged = ({ tool, principal }: Asking, held: Held, reqId: string) => ({
  reqId,
  tool,
  key: principal.id,
  calls: held.slice(0, MAX_LOGGED).map(([, { act, label }]) => ({ label, effect: act.effect })),
  count: held.length,
});

export const isQuestion = (begun: ApprovedRun | InputRequiredResult | undefined): begun is InputRequiredResult =>
  begun !== undefined && 'resultType' in begun;
