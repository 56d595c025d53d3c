// What the ledger shows that a model's code may have missed: failures that do not throw, sandboxes left running. Pure;
// the gateway's own words, so nothing of them is text from outside.
import type { LedgerEntry } from '../../broker/ledger.ts';

const MAX_IDS = 5;

/** One sentence each. `nowMs`: what ended by itself before it is not named. `thrown`: what ended the run. */
export function ledgerHints(ledger: readonly LedgerEntry[], nowMs: number, thrown = ''): string[] {
  const ends = ledger.flatMap(({ ended }) => (ended === undefined ? [] : [ended]));
  const hints: string[] = [];
  if (ends.some(ended => 'exitCode' in ended)) {
    hints.push('A command ended with a code other than 0: that does not throw, check exitCode.');
  }
  if (ends.some(ended => 'error' in ended)) {
    hints.push('Code in a sandbox ended with an error: runCode does not throw, check error.');
  }
  if (SANDBOX_GONE.test(thrown) && ledger.some((entry, at) => isLeftOpen(entry, ledger.slice(at + 1))))
    hints.push(LEFT_OPEN);
  const left = leftRunning(ledger, nowMs);
  if (left.length > 0) {
    const more = left.length > MAX_IDS ? ` and ${left.length - MAX_IDS} more` : '';
    const named = left
      .slice(0, MAX_IDS)
      .map(({ id, untilMs }) => id + (untilMs === undefined ? '' : `, until ${timeOf(untilMs)}`));
    hints.push(`Still running: ${named.join('; ')}${more}. Go on with Sandbox.connect(id) or Sandbox.kill(id).`);
  }
  return hints;
}

/** `22:02 UTC`. */
const timeOf = (ms: number): string => `${new Date(ms).toISOString().slice(11, 16)} UTC`;

type Left = { readonly id: string; readonly untilMs: number | undefined };

const SANDBOX_GONE = /^(?:Sandbox (?:\w+ )?not found:|The sandbox ended or was paused while)/;
const LEFT_OPEN =
  'Hint: This run ended the sandbox before a call to it was over: `await` each call before kill(), in `try { return await … } finally { … }` as well.';

/** A call that failed on a sandbox which a later call of the run ended. */
function isLeftOpen({ act, code }: LedgerEntry, later: readonly LedgerEntry[]): boolean {
  const id = act?.id;
  return code === 'sandbox_failed' && id !== undefined && later.some(entry => endedBy(entry) === bare(id));
}

/** Made by this run, and neither killed, paused nor over since. */
function leftRunning(ledger: readonly LedgerEntry[], nowMs: number): Left[] {
  const gone = new Set<string>();
  for (const entry of ledger) {
    const ended = endedBy(entry);
    if (ended !== undefined) gone.add(ended);
    const { act, status } = entry;
    // Resumed: a connection to one that was killed fails.
    if (act?.effect === 'starts' && act.id !== undefined && succeeded(status)) gone.delete(bare(act.id));
  }
  return ledger.flatMap(({ made = [], untilMs }) =>
    made
      .filter(id => !gone.has(bare(id)))
      .map(id => ({ id, untilMs: lastUntil(ledger, id) ?? untilMs }))
      .filter(left => left.untilMs === undefined || left.untilMs > nowMs),
  );
}

/** What a later call set. */
const lastUntil = (ledger: readonly LedgerEntry[], id: string): number | undefined =>
  ledger.findLast(({ act, untilMs }) => untilMs !== undefined && act?.id !== undefined && bare(act.id) === bare(id))
    ?.untilMs;

function endedBy({ act, status }: LedgerEntry): string | undefined {
  const gone = act?.resource === 'sandbox' && (act.effect === 'ends' || act.effect === 'stops');
  return gone && (status === 404 || succeeded(status)) && act.id !== undefined ? bare(act.id) : undefined;
}

const succeeded = (status: LedgerEntry['status']): boolean =>
  status === 'done' || (typeof status === 'number' && status < 300);

/** `<id>-<client>` is the same sandbox to E2B. */
const bare = (id: string) => id.split('-', 1)[0] ?? id;
