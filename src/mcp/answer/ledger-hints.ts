// What the ledger shows that a model's code may have missed: failures that do not throw, sandboxes left running. Pure;
// the gateway's own words, so nothing of them is text from outside.
import type { LedgerEntry } from '../../broker/ledger.ts';

const MAX_IDS = 5;

/** One sentence each. `nowMs`: what ended by itself before it is not named. */
export function ledgerHints(ledger: readonly LedgerEntry[], nowMs: number): string[] {
  const ends = ledger.flatMap(({ ended }) => (ended === undefined ? [] : [ended]));
  const hints: string[] = [];
  if (ends.some(ended => 'exitCode' in ended)) {
    hints.push('A command ended with a code other than 0: that does not throw, check exitCode.');
  }
  if (ends.some(ended => 'error' in ended)) {
    hints.push('Code in a sandbox ended with an error: runCode does not throw, check error.');
  }
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

/** Made by this run, and neither killed, paused nor over since. */
function leftRunning(ledger: readonly LedgerEntry[], nowMs: number): Left[] {
  const gone = new Set(ledger.map(endedBy));
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
  const succeeded = status === 'done' || status === 404 || (typeof status === 'number' && status < 300);
  return gone && succeeded && act.id !== undefined ? bare(act.id) : undefined;
}

/** `<id>-<client>` is the same sandbox to E2B. */
const bare = (id: string) => id.split('-', 1)[0] ?? id;
