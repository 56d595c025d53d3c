// Answers a run's calls: looks up the capability, holds the run to its budgets, writes the ledger, and turns every
// fault into a reply the guest can read. Knows no capability by name and nothing of the engine but the form of a call.
import type { CallHost, GuestCall, GuestReply } from '../engine/engine.ts';
import { GatewayError, toGatewayError } from '../errors.ts';
import type { Principal } from '../principal.ts';
import { type AnswerBudget, type BrokerLimits, createBudget } from './budget.ts';
import { createLedger, type LedgerCall, type LedgerEntry } from './ledger.ts';

/** What a capability is handed beside its arguments. */
export type CallContext = {
  readonly principal: Principal;
  readonly mode: 'read' | 'write';
  /** Aborts when the run ends. */
  readonly signal: AbortSignal;
  readonly limits: BrokerLimits;
  /** This call's line in the ledger: name it, say `sent()` before it can have an effect, and `answered()`. */
  readonly call: LedgerCall;
  /** `take()` bytes as they arrive; the broker settles the rest by the length of the reply. */
  readonly answer: AnswerBudget;
  /** @throws GatewayError `budget_exceeded` */
  checkRequest(bytes: number): void;
};

/** Arguments as parsed JSON, unchecked -> JSON text. Throws GatewayError for what the guest may read. */
export type Capability = (args: unknown, context: CallContext) => Promise<string>;

export type BrokerLog = { error(fields: object, message: string): void };

export type BrokerOptions = {
  readonly principal: Principal;
  readonly mode: 'read' | 'write';
  readonly capabilities: Readonly<Record<string, Capability>>;
  /** Aborted when the run ends, for whatever reason. */
  readonly signal: AbortSignal;
  readonly limits: BrokerLimits;
  /** Told of each call when it is over. */
  readonly onCall?: (entry: LedgerEntry) => void;
  /** Put around each capability that is called, to watch it. */
  readonly around?: (name: string, capability: Capability) => Capability;
  /** For the log only. */
  readonly requestId?: string;
  readonly log?: BrokerLog;
};

export type Broker = {
  readonly callHost: CallHost;
  /** Live, in the order calls came; at most `maxCalls` entries and one for those over it. */
  readonly ledger: readonly LedgerEntry[];
};

/** One broker a run. */
export function createBroker(options: BrokerOptions): Broker {
  const { principal, mode, capabilities, limits } = options;
  const budget = createBudget(limits);
  const ledger = createLedger(options.onCall);
  const follow = createFollower();
  let overBudgetNoted = false;
  if (options.signal.aborted) ledger.close();
  else options.signal.addEventListener('abort', ledger.close, { once: true });

  /** Of the calls over the budget only the first is noted: a flood must not fill the ledger. */
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

  const answerCall = async (guestCall: GuestCall, call: LedgerCall, signal: AbortSignal): Promise<string> => {
    const found = find(capabilities, guestCall.capability);
    const capability = options.around?.(guestCall.capability, found) ?? found;
    const args = parseArgs(guestCall.argsJson);
    const leave = await budget.place(signal);
    try {
      const answer = budget.answer();
      const context = { principal, mode, signal, limits, call, answer, checkRequest: budget.checkRequest };
      const json = await capability(args, context);
      answer.settle(json.length);
      return json;
    } finally {
      leave();
    }
  };

  const callHost: CallHost = async (guestCall, callSignal) => {
    const label = shortName(guestCall.capability);
    let call: LedgerCall | undefined;
    try {
      if (options.signal.aborted || callSignal.aborted) throw new GatewayError('cancelled');
      call = openCall(label);
      const { signal, release } = follow(options.signal, callSignal);
      const json = await answerCall(guestCall, call, signal).finally(release);
      call.succeed();
      return { ok: true, json };
    } catch (caught) {
      const error = toGatewayError(caught);
      if (error.code === 'internal') {
        options.log?.error(
          { reqId: options.requestId, err: error.cause ?? error, capability: label },
          'a capability failed',
        );
      }
      call?.fail(error);
      return refusal(error);
    }
  };

  return { callHost, ledger: ledger.entries };
}

const shortName = (capability: unknown) =>
  String(capability)
    .replace(/[^\w.]/g, '?')
    .slice(0, 60);

/** Texts of ours are short; what they quote is not always. */
const MAX_REFUSAL_CHARS = 4_000;

function refusal(error: GatewayError): GuestReply {
  return {
    ok: false,
    error: { name: error.name, code: error.code, message: error.message.slice(0, MAX_REFUSAL_CHARS) },
  };
}

function find(capabilities: BrokerOptions['capabilities'], name: string): Capability {
  const capability = Object.hasOwn(capabilities, name) ? capabilities[name] : undefined;
  if (capability !== undefined) return capability;
  const known = Object.keys(capabilities).join(', ');
  throw new GatewayError('capability_unknown', `The gateway has no capability "${shortName(name)}". It has: ${known}.`);
}

function parseArgs(argsJson: string): unknown {
  try {
    return JSON.parse(argsJson);
  } catch {
    throw new GatewayError('request_invalid', 'The arguments of the call are not JSON.');
  }
}

/**
 * Gives each call a signal that aborts with any of the ones it follows. One listener a followed signal, however many
 * calls there are.
 */
function createFollower(): (...signals: readonly AbortSignal[]) => { readonly signal: AbortSignal; release(): void } {
  const following = new WeakMap<AbortSignal, Set<AbortController>>();
  const followersOf = (signal: AbortSignal) => {
    const known = following.get(signal);
    if (known !== undefined) return known;
    const followers = new Set<AbortController>();
    following.set(signal, followers);
    signal.addEventListener('abort', () => followers.forEach(follower => void follower.abort()), { once: true });
    return followers;
  };
  return (...signals) => {
    const controller = new AbortController();
    const groups = signals.map(followersOf);
    for (const group of groups) group.add(controller);
    if (signals.some(({ aborted }) => aborted)) controller.abort();
    return { signal: controller.signal, release: () => groups.forEach(group => void group.delete(controller)) };
  };
}
