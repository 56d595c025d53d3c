// Answers a run's calls: looks up the capability, holds the run to its budgets, writes the ledger, and turns every
// fault into a reply the guest can read. Knows no capability by name and nothing of the engine but the form of a call.
import type { CallHost, GuestCall, GuestReply, Principal } from '../engine/engine.ts';
import { GatewayError, toGatewayError } from '../errors.ts';
import { type AnswerBudget, type BrokerLimits, createBudget, DEFAULT_BROKER_LIMITS } from './budget.ts';
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
  readonly limits?: Partial<BrokerLimits>;
  /** Told of each call when it is over. */
  readonly onCall?: (entry: LedgerEntry) => void;
  readonly log?: BrokerLog;
};

export type Broker = {
  readonly callHost: CallHost;
  /** Live, in the order calls came; at most `maxCalls` entries and one for those over it. */
  readonly ledger: readonly LedgerEntry[];
};

/** One broker a run. */
export function createBroker(options: BrokerOptions): Broker {
  const { principal, mode, capabilities } = options;
  const limits = { ...DEFAULT_BROKER_LIMITS, ...options.limits };
  const budget = createBudget(limits);
  const ledger = createLedger(options.onCall);
  let overBudgetNoted = false;
  if (options.signal.aborted) ledger.close();
  else options.signal.addEventListener('abort', ledger.close, { once: true });

  const answerCall = async (guestCall: GuestCall, call: LedgerCall, signal: AbortSignal): Promise<string> => {
    const capability = find(capabilities, guestCall.capability);
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
    const ended = either(options.signal, callSignal);
    let call: LedgerCall | undefined;
    try {
      if (ended.signal.aborted) throw new GatewayError('cancelled');
      try {
        budget.takeCall();
      } catch (caught) {
        if (!overBudgetNoted) call = ledger.open(shortName(guestCall.capability));
        overBudgetNoted = true;
        throw caught;
      }
      call = ledger.open(shortName(guestCall.capability));
      const json = await answerCall(guestCall, call, ended.signal);
      call.succeed();
      return { ok: true, json };
    } catch (caught) {
      const error = toGatewayError(caught);
      if (error.code === 'internal') {
        options.log?.error(
          { err: error.cause ?? error, capability: shortName(guestCall.capability) },
          'a capability failed',
        );
      }
      call?.fail(error);
      return refusal(error);
    } finally {
      ended.release();
    }
  };

  return { callHost, ledger: ledger.entries };
}

const shortName = (capability: unknown) =>
  String(capability)
    .replace(/[^\w.]/g, '?')
    .slice(0, 60);

function refusal(error: GatewayError): GuestReply {
  return { ok: false, error: { name: error.name, code: error.code, message: error.message } };
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

/** Aborts with the first of the two. Released by hand, so that a run's signal does not gather listeners. */
function either(first: AbortSignal, second: AbortSignal): { readonly signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const abort = () => controller.abort();
  if (first.aborted || second.aborted) abort();
  first.addEventListener('abort', abort, { once: true });
  second.addEventListener('abort', abort, { once: true });
  return {
    signal: controller.signal,
    release() {
      first.removeEventListener('abort', abort);
      second.removeEventListener('abort', abort);
    },
  };
}
