// What a run did outside. An entry is true at every moment, also if no further answer ever arrives.
// Knows nothing of how calls are made.
import type { ErrorCode, GatewayError } from '../errors.ts';
import type { Effect } from '../spec/description.ts';

/** What a call does, as described. */
export type Act = {
  readonly effect: Effect;
  readonly resource?: string;
  /** Of the thing it names; for what is inside a sandbox, of the sandbox. */
  readonly id?: string;
  /** It is sent to the sandbox `id` itself, for something inside of it. */
  readonly inside?: true;
};

export type LedgerEntry = {
  /** `GET /v2/sandboxes` or `Sandbox.commands.run`; paths as resolved, never a query. */
  readonly label: string;
  readonly write: boolean;
  /** HTTP status; `refused`: never left the gateway; `failed`: no answer, and nothing changed; `unknown`: a write was sent, its outcome is unknown. */
  readonly status: number | 'done' | 'failed' | 'refused' | 'unknown';
  readonly code?: ErrorCode;
  readonly act?: Act;
  /** How what ran in the sandbox failed, or what its server answered: the call does not throw for it. */
  readonly ended?: Ended;
  /** Ids of the sandboxes it made. */
  readonly made?: readonly string[];
  /** When the sandbox it made or kept alive ends by itself, in Unix milliseconds. */
  readonly untilMs?: number;
  /** It needed a person's approval: what became of that, and when, in Unix milliseconds. */
  readonly approval?: Approval;
  readonly ms: number;
};

/** `unasked`: the client cannot ask a person, and the operator lets such calls pass. */
type Approval = { readonly answer: 'approved' | 'refused' | 'unasked'; readonly atMs: number };

/**
 * `exitCode` of a command with the end of its stderr, the error that ended code, or the status a server inside answered
 * with. `detail` is text of the sandbox's: one line, bounded, and only for inside the envelope.
 */
export type Ended = ({ readonly exitCode: number } | { readonly error: string } | { readonly httpStatus: number }) & {
  readonly detail?: string;
};

const MAX_DETAIL_CHARS = 160;

/** The last line of `text` that is not empty, as a detail. */
export function detailOf(text: string): { detail?: string } {
  const lines = text.slice(-4_000).split(/[\r\n]+/);
  const last =
    lines
      .findLast(line => line.trim() !== '')
      ?.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
      .trim() ?? '';
  return last === '' ? {} : { detail: last.length > MAX_DETAIL_CHARS ? `${last.slice(0, MAX_DETAIL_CHARS)}…` : last };
}

/** One call's entry while it is being made. */
export type LedgerCall = {
  /** Names the call, as soon as it is known what it is; `act` as soon as that is known as well. */
  name(label: string, write: boolean, act?: Act): void;
  /** From here on it may have an effect: without an answer, a write counts as `unknown`. */
  sent(): void;
  /** It turned out that nothing left the gateway. */
  notSent(): void;
  /** The other side answered, whatever becomes of the answer. */
  answered(status: number | 'done'): void;
  /** What ran in the sandbox failed. */
  ended(how: Ended): void;
  /** There are new sandboxes. */
  made(sandboxIds: readonly string[]): void;
  /** The sandbox it made or names ends by itself then. */
  livesUntil(untilMs: number): void;
  /** It needed approval. */
  approval(approval: Approval): void;
  /** It is taken out again: it waits for a person, and the run that goes on then makes it anew. */
  withdraw(): void;
  succeed(): void;
  fail(error: GatewayError): void;
};

export type Ledger = {
  readonly entries: readonly LedgerEntry[];
  open(label: string): LedgerCall;
  /** The run is over: open entries stay as they are, with the time until now. */
  close(): void;
};

/** Made ones are named in the gateway's own words: nothing but what E2B makes. */
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

/** `earlier`: what the run did before it was interrupted. */
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
