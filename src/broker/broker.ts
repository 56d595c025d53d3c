// Answers the calls of a run: looks up the capability, enforces the run's budgets, writes the ledger, and turns every
// error into a reply that the guest can read. Knows no capability by name, and of the engine only the form of a call.
import type { AskHost, CallHost, Emit, GuestCall, GuestReply } from '../engine/engine.ts';
import { GatewayError, toGatewayError } from '../errors.ts';
import type { HostTurns } from '../ground/host-turns.ts';
import { tryParseJson } from '../ground/json.ts';
import { describeExcess } from '../ground/json-size.ts';
import { type JsonText, type Pieces, sizeOf, wholeText } from '../ground/json-text.ts';
import type { MemoryBudget } from '../ground/memory-budget.ts';
import { omitUndefined } from '../ground/omit-undefined.ts';
import type { Principal } from '../principal.ts';
import type { Mode } from '../spec/description.ts';
import type { MaskForm } from './answer-job.ts';
import type { Answers } from './answers.ts';
import { type ApprovalRules, HeldCall, judge, MAX_DESCRIBED, type Question } from './approvals.ts';
import { type AnswerBudget, type BrokerLimits, createBudget } from './budget.ts';
import { type CallContext, type Capabilities, type Capability, findCapability, shortName } from './capabilities.ts';
import type { Secrets, Tokens } from './e2b/tokens.ts';
import { createEventLine } from './event-line.ts';
import { createFollower } from './follow.ts';
import { createLedger, type LedgerCall, type LedgerEntry } from './ledger.ts';
import { type CallMemory, createRunMemory } from './run-memory.ts';

/** A call that has not been answered yet. */
type OpenCall = { readonly call: LedgerCall; readonly memory: CallMemory };

type BrokerLog = { error(fields: object, message: string): void };

export type BrokerOptions = {
  readonly principal: Principal;
  readonly mode: Mode;
  readonly capabilities: Capabilities;
  /** Aborted when the run ends, for whatever reason. */
  readonly signal: AbortSignal;
  readonly limits: BrokerLimits;
  readonly turns: HostTurns;
  readonly memory: MemoryBudget;
  readonly answers: Pick<Answers, 'mask' | 'maskText' | 'readEvent'>;
  /** Called with the ledger entry of each call when the call ends. */
  readonly onCall?: (entry: LedgerEntry) => void;
  /** Decides which calls need approval. Undefined: none. */
  readonly approvals?: ApprovalRules | undefined;
  /** What the run did and used before it was interrupted for an approval. */
  readonly earlier?: Earlier | undefined;
  /** Wraps each capability that is called, to observe it. */
  readonly around?: (name: string, capability: Capability) => Capability;
  /** For the log only. */
  readonly requestId?: string;
  readonly log?: BrokerLog;
};

export type Earlier = { readonly ledger: readonly LedgerEntry[]; readonly answerBytes: number };

export type Broker = {
  readonly callHost: CallHost;
  /** The same for a run that can be interrupted: a call may be held until a person has been asked. */
  readonly askHost: AskHost<Question>;
  /** Changes while the run goes on. In the order of calls; at most `maxCalls` entries and one for calls beyond that. */
  readonly ledger: readonly LedgerEntry[];
  /** CPU time of the gateway's own threads for this run. */
  hostMs(): number;
};

/** Creates the broker of one run. */
export function createBroker(options: BrokerOptions): Broker {
  const { principal, mode, capabilities, limits } = options;
  const { earlier } = options;
  const budget = createBudget(limits, earlier && { ...earlier, calls: earlier.ledger.length });
  const ledger = createLedger(options.onCall, earlier?.ledger);
  const follow = createFollower();
  let overBudgetNoted = false;
  let hostMs = 0;
  if (options.signal.aborted) ledger.close();
  else options.signal.addEventListener('abort', ledger.close, { once: true });

  /** Only the first call over the budget gets an entry, so that a flood of calls cannot fill the ledger. */
  const openCall = (label: string): LedgerCall => {
    try {
      budget.takeCall();
    } catch (caught) {
      if (!overBudgetNoted) ledger.open(label).fail(toGatewayError(caught));
      overBudgetNoted = true;
      throw caught;
    }
    return ledger.open(label);
  };

  const openMemory = createRunMemory(options.memory, principal.id, options.signal);
  const { id: principalId, apiKey } = principal;
  const owner = { principalId, name: options.requestId ?? 'a run', paced: true } as const;
  const events = createEventLine(options.signal);

  const answerCall = async (
    guestCall: GuestCall,
    open: OpenCall,
    signal: AbortSignal,
    emit: Emit,
  ): Promise<JsonText> => {
    const found = findCapability(capabilities, guestCall.capability);
    const capability = options.around?.(guestCall.capability, found) ?? found;
    const spend = (ms: number) => {
      hostMs += ms;
    };
    const checkTime = () => {
      if (hostMs > limits.maxHostMs) throw new GatewayError('cpu_exceeded', cpuMessage(limits.maxHostMs));
    };
    const work = async <T>(act: () => T): Promise<T> => {
      checkTime();
      const { value, ms } = await options.turns.take(owner, () => {
        if (signal.aborted) throw new GatewayError('cancelled');
        return act();
      });
      spend(ms);
      return value;
    };
    const turn = async () => {
      checkTime();
      await options.turns.pass(owner, spend);
    };
    const leave = await budget.place(signal);
    try {
      const args = await work(() => parseArgs(guestCall));
      const answer = alsoCharged(budget.answer(), open.memory);
      const from = { apiKey, principalId, signal };
      const spent = async <T>(done: Promise<{ readonly value: T; readonly ms: number }>): Promise<T> => {
        const { value, ms } = await done;
        spend(ms);
        return value;
      };
      const prepare = {
        masked: (text: string) => spent(options.answers.maskText(text, from)),
        maskedJson: (value: string | Pieces, form: MaskForm, tokens: Tokens = []) =>
          spent(options.answers.mask(value, form, { ...from, tokens })),
        readEvent: (line: Pieces, secrets: Secrets) => spent(options.answers.readEvent(line, secrets, from)),
      };
      const emitMasked: Emit = payload => events.push(() => prepare.masked(payload), emit);
      const own = { call: open.call, answer, work, turn, spend, ...prepare, emit: emitMasked };
      const basic = { principal, mode, signal, limits, checkRequest: budget.checkRequest, ...own };
      const context = options.approvals === undefined ? basic : withApproval(basic, guestCall, options.approvals);
      const json = await (await work(() => ({ answered: capability(args, context) }))).answered;
      await events.pushed();
      answer.settle(sizeOf(json));
      return json;
    } finally {
      leave();
    }
  };

  let described = 0;
  const withApproval = (context: CallContext, { decision }: GuestCall, rules: ApprovalRules): CallContext => ({
    ...context,
    async approve(asked) {
      try {
        const passed = judge(asked, rules, ledger.entries, decision);
        if (passed === undefined) return;
        if (passed !== 'ask') return context.call.approval({ answer: passed, atMs: Date.now() });
      } catch (caught) {
        context.call.approval({ answer: 'refused', atMs: Date.now() });
        throw caught;
      }
      const facts = described++ < MAX_DESCRIBED ? await rules.describe?.(asked.act, context) : undefined;
      throw new HeldCall({ ...asked, ...omitUndefined({ facts }) });
    },
  });

  const askHost: Broker['askHost'] = async (guestCall, callSignal, emit = DROP_EVENTS) => {
    const label = shortName(guestCall.capability);
    let open: OpenCall | undefined;
    try {
      if (options.signal.aborted || callSignal.aborted) throw new GatewayError('cancelled');
      open = { call: openCall(label), memory: openMemory() };
      open.memory.take(guestCall.argsJson.length);
      const { signal, release } = follow(options.signal, callSignal);
      const json = await answerCall(guestCall, open, signal, emit).finally(release);
      open.call.succeed();
      return { ok: true, json, delivered: open.memory.release };
    } catch (caught) {
      if (caught instanceof HeldCall) {
        open?.call.withdraw();
        budget.giveCall();
        open?.memory.release();
        return { held: caught.question };
      }
      const error = toGatewayError(caught);
      if (error.code === 'internal') {
        options.log?.error(
          { reqId: options.requestId, err: error.cause ?? error, capability: label },
          'capability failed',
        );
      }
      open?.call.fail(error);
      open?.memory.release();
      return refusal(error);
    }
  };

  const callHost: CallHost = async (...message) => {
    const reply = await askHost(...message);
    return 'held' in reply ? refusal(new GatewayError('approval_unavailable')) : reply;
  };

  return { callHost, askHost, ledger: ledger.entries, hostMs: () => hostMs };
}

const DROP_EVENTS: Emit = () => {};

const cpuMessage = (maxMs: number) =>
  `Reading what was sent to this run took the gateway more than ${maxMs} ms of CPU time. Ask for less, or write it to a file.`;

/** The gateway's own sentences are short, but they may quote long text. */
const MAX_REFUSAL_CHARS = 4_000;

function refusal(error: GatewayError): GuestReply {
  return {
    ok: false,
    error: { name: error.name, code: error.code, message: error.message.slice(0, MAX_REFUSAL_CHARS) },
  };
}

/** Arguments that the engine measured as too large are not parsed. */
function parseArgs({ argsJson, excess }: GuestCall): unknown {
  if (excess !== undefined)
    throw new GatewayError(
      'too_complex',
      `The arguments of the call hold ${describeExcess(excess)}. Send less at once, or put the data into a sandbox file.`,
    );
  const args = tryParseJson(wholeText(argsJson));
  if (args === undefined) throw new GatewayError('request_invalid', 'The arguments of the call are not JSON.');
  return args;
}

/** Charges bytes of a response to the run's budget and to the caller's memory. */
function alsoCharged(answer: AnswerBudget, memory: CallMemory): AnswerBudget {
  let held = 0;
  const hold = (bytes: number) => {
    memory.take(bytes);
    held += bytes;
  };
  return {
    take(bytes) {
      answer.take(bytes);
      hold(bytes);
    },
    settle(bytes) {
      answer.settle(bytes);
      hold(Math.max(0, bytes - held));
    },
  };
}
