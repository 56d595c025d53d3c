// The contract of a capability: what a guest may call, what it gets from the broker, and how it is found by its name.
import type { Emit } from '../engine/engine.ts';
import { GatewayError } from '../errors.ts';
import type { JsonPart, JsonText, Pieces } from '../ground/json-text.ts';
import type { Principal } from '../principal.ts';
import type { Mode } from '../spec/description.ts';
import type { MaskForm } from './answer-job.ts';
import type { Asked } from './approvals.ts';
import type { AnswerBudget, BrokerLimits } from './budget.ts';
import type { ReadEvent } from './e2b/read-event.ts';
import type { Secrets, Tokens } from './e2b/tokens.ts';
import type { LedgerCall } from './ledger.ts';

/** What a capability gets beside its arguments. */
export type CallContext = {
  readonly principal: Principal;
  readonly mode: Mode;
  /** Aborts when the run ends. */
  readonly signal: AbortSignal;
  readonly limits: BrokerLimits;
  /** The call's entry in the ledger: set its `name`, call `sent()` before it can have an effect, then `answered()`. */
  readonly call: LedgerCall;
  /**
   * Call `take()` for bytes as they arrive; the broker settles the rest by the length of the reply. They also count as
   * the caller's memory until the engine has passed the reply on.
   */
  readonly answer: AnswerBudget;
  /**
   * Does work on the main thread whose time depends on data from outside: decoding, checking, redacting. It waits for a
   * turn among all callers and counts as CPU time of the run.
   * @throws GatewayError `cpu_exceeded` if the run has none left
   */
  work<T>(work: () => T): Promise<T>;
  /**
   * Await it before a library processes data from a sandbox; its work then counts as CPU time of the run.
   * @throws GatewayError `cpu_exceeded` if the run has none left
   */
  turn(): Promise<void>;
  /** Adds time that another thread of the gateway worked for this call to the CPU time of the run. */
  spend(ms: number): void;
  /** Removes the caller's key from the text in every spelling. For all text that others may have written. */
  masked(text: string): Promise<string>;
  /** The same for JSON. Bytes must not be used afterwards; in those that become base64, the tokens are masked too. */
  maskedJson(value: string | Pieces, form: MaskForm, tokens?: Tokens): Promise<JsonPart>;
  /** Reads a large event of the code interpreter, which must not be used afterwards. */
  readEvent(line: Pieces, secrets: Secrets): Promise<ReadEvent>;
  /** Sends an event to the guest during the call or after it. The sender must `take()` its bytes and send few. */
  readonly emit: Emit;
  /** @throws GatewayError `budget_exceeded` */
  checkRequest(bytes: number): void;
  /**
   * Await it before anything is sent, as soon as it is known what the call does. Undefined: no call needs approval.
   * @throws GatewayError `approval_refused`, `approval_unavailable`
   * @throws HeldCall if a person must be asked first
   */
  readonly approve?: (asked: Asked) => Promise<void>;
};

/** Takes the arguments as parsed, unchecked JSON. @throws GatewayError that the guest may read */
export type Capability = (args: unknown, context: CallContext) => Promise<JsonText>;

/** The capabilities of one run by name. A run uses few of them, so each is made when it is first called. */
export type Capabilities = {
  readonly names: readonly string[];
  find(name: string): Capability | undefined;
};

export const capabilitiesOf = (all: Readonly<Record<string, Capability>>): Capabilities => ({
  names: Object.keys(all),
  find: name => (Object.hasOwn(all, name) ? all[name] : undefined),
});

/** @throws GatewayError capability_unknown */
export function findCapability(capabilities: Capabilities, name: string): Capability {
  const capability = capabilities.find(name);
  if (capability !== undefined) return capability;
  const known = capabilities.names.join(', ');
  throw new GatewayError('capability_unknown', `The gateway has no capability "${shortName(name)}". It has: ${known}.`);
}

/** A name that the guest sent, for the log and for errors. */
export const shortName = (capability: unknown) =>
  String(capability)
    .replace(/[^\w.]/g, '?')
    .slice(0, 60);
