// The record of a run's calls. An entry is correct at every moment, even if no further response arrives. Does not know
// how calls are made.
import type { ErrorCode, GatewayError } from '../errors.ts';
import type { Effect } from '../spec/description.ts';

/** What a call does, as the API description states. */
export type Act = {
  readonly effect: Effect;
  readonly resource?: string;
  /** Id of the object that the call names; for objects inside a sandbox, the id of the sandbox. */
  readonly id?: string;
  /** True if the call is sent to the sandbox `id` and acts on something inside it. */
  readonly inside?: true;
};

export type LedgerEntry = {
  /** `GET /v2/sandboxes` or `Sandbox.commands.run`; paths as resolved, never a query. */
  readonly label: string;
  readonly write: boolean;
  /** HTTP status; `refused`: not sent; `failed`: no response, but nothing changed; `unknown`: a write, no response. */
  readonly status: number | 'done' | 'failed' | 'refused' | 'unknown';
  readonly code?: ErrorCode;
  readonly act?: Act;
  /** How a program in the sandbox ended, where the call itself does not throw for it. */
  readonly ended?: Ended;
  /** Ids of the sandboxes that the call created. */
  readonly made?: readonly string[];
  /** When the sandbox that the call created or kept alive expires, in Unix milliseconds. */
  readonly untilMs?: number;
  /** The outcome of the approval, if the call needed one. */
  readonly approval?: Approval;
  readonly ms: number;
};

/** `unasked`: the client cannot ask a person, and the operator allows such calls. `atMs`: Unix milliseconds. */
type Approval = { readonly answer: 'approved' | 'refused' | 'unasked'; readonly atMs: number };

/**
 * The exit code of a command, the name of the error that ended code, or the status from a server in the sandbox.
 * `detail` is untrusted text from the sandbox: one line of limited length, to be shown only inside the envelope.
 */
export type Ended = ({ readonly exitCode: number } | { readonly error: string } | { readonly httpStatus: number }) & {
  readonly detail?: string;
};

const MAX_DETAIL_CHARS = 160;

/** Returns the last line of `text` that is not empty. */
export function detailOf(text: string): { detail?: string } {
  const lines = text.slice(-4_000).split(/[\r\n]+/);
  const last =
    lines
      .findLast(line => line.trim() !== '')
      ?.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
      .trim() ?? '';
  return last === '' ? {} : { detail: last.length > MAX_DETAIL_CHARS ? `${last.slice(0, MAX_DETAIL_CHARS)}…` : last };
}

/** Updates the entry of a call that is being made. */
export type LedgerCall = {
  /** Sets the label and the act as soon as they are known; may be called again. */
  name(label: string, write: boolean, act?: Act): void;
  /** The request is about to be sent and may have an effect: without a response, a write counts as `unknown`. */
  sent(): void;
  /** The request turned out not to have been sent. */
  notSent(): void;
  /** A response arrived, even if it is refused later. */
  answered(status: number | 'done'): void;
  /** Records how a program in the sandbox ended. */
  ended(how: Ended): void;
  /** Records new sandboxes. */
  made(sandboxIds: readonly string[]): void;
  /** Records when the sandbox that the call created or names expires. */
  livesUntil(untilMs: number): void;
  /** Records the outcome of the approval. */
  approval(approval: Approval): void;
  /** Removes the entry: the call waits for a person, and the continued run makes it again. */
  withdraw(): void;
  succeed(): void;
  fail(error: GatewayError): void;
};

export type Ledger = {
  readonly entries: readonly LedgerEntry[];
  open(label: string): LedgerCall;
  /** Call it when the run ends: unfinished entries keep their status and get their duration. */
  close(): void;
};

/** The form of E2B's sandbox ids. Ids become parts of labels, host names and paths, so other text is not accepted. */
export const SANDBOX_ID = /^[a-z0-9]{1,64}(?:-[a-z0-9]{1,64})?$/;

type Draft = {
  label: string;
  write: boolean;
  status: LedgerEntry['status'];
  code?: ErrorCode;
  act?: Act;
  ended?: Ended;
  made?: readonly string[];
  untilMs?: number;
  approval?: Approval;
  ms: number;
};

/** `earlier`: entries from before the run was interrupted. */
export function createLedger(onEntry?: (entry: LedgerEntry) => void, earlier: readonly LedgerEntry[] = []): Ledger {
  const entries: Draft[] = earlier.map(entry => ({ ...entry }));
  const unfinished = new Map<Draft, (code: ErrorCode | undefined) => void>();
  return {
    entries,
    open(label) {
      const startedAt = performance.now();
      const entry: Draft = { label, write: false, status: 'refused', code: 'cancelled', ms: 0 };
      let sent = false;
      let answer: number | 'done' | undefined;
      const update = () => {
        if (unfinished.has(entry)) entry.status = answer ?? (sent ? (entry.write ? 'unknown' : 'failed') : 'refused');
      };
      const finish = (code: ErrorCode | undefined) => {
        if (!unfinished.delete(entry)) return;
        entry.ms = Math.round(performance.now() - startedAt);
        if (code === undefined) delete entry.code;
        else entry.code = code;
        onEntry?.(entry);
      };
      entries.push(entry);
      unfinished.set(entry, finish);
      return {
        name(text, write, act) {
          if (!unfinished.has(entry)) return;
          entry.label = text;
          entry.write = write;
          if (act !== undefined) entry.act = act;
          update();
        },
        sent() {
          sent = true;
          update();
        },
        notSent() {
          sent = false;
          update();
        },
        answered(status) {
          answer = status;
          update();
        },
        ended(how) {
          if (unfinished.has(entry)) entry.ended = how;
        },
        made(sandboxIds) {
          const ids = sandboxIds.filter(id => SANDBOX_ID.test(id));
          if (unfinished.has(entry) && ids.length > 0) entry.made = ids;
        },
        livesUntil(untilMs) {
          if (unfinished.has(entry)) entry.untilMs = untilMs;
        },
        approval(approval) {
          if (unfinished.has(entry)) entry.approval = approval;
        },
        withdraw() {
          unfinished.delete(entry);
          entries.splice(entries.indexOf(entry), 1);
        },
        succeed() {
          answer ??= 'done';
          update();
          finish(undefined);
        },
        fail(error) {
          update();
          if (unfinished.has(entry) && entry.status === 'refused' && error.fault !== 'agent') entry.status = 'failed';
          finish(error.code);
        },
      };
    },
    close() {
      for (const finish of [...unfinished.values()]) finish('cancelled');
    },
  };
}
