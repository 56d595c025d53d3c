// Hints on what the agent's code may have missed, from the ledger: failures that do not throw, and sandboxes left
// running. Pure. The sentences contain no text from outside, because they are shown after the envelope.
import type { LedgerEntry } from '../../broker/ledger.ts';

const MAX_IDS = 5;

/** Sandboxes that expired before `nowMs` are left out. `thrown`: the message of the error that ended the run. */
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
  if (leftRunning(ledger, nowMs).length > 0)
    hints.push('What is still running is named above: go on with Sandbox.connect(id) or Sandbox.kill(id).');
  return hints;
}

/** Lists sandboxes that the run has left running, for inside the envelope: their ids are the API's, so untrusted. */
export function stillRunning(ledger: readonly LedgerEntry[], nowMs: number): string | undefined {
  const left = leftRunning(ledger, nowMs);
  if (left.length === 0) return undefined;
  const more = left.length > MAX_IDS ? ` and ${left.length - MAX_IDS} more` : '';
  const named = left
    .slice(0, MAX_IDS)
    .map(({ id, untilMs }) => id + (untilMs === undefined ? '' : `, until ${timeOf(untilMs)}`));
  return `Still running: ${named.join('; ')}${more}.`;
}

/** `22:02 UTC`. */
const timeOf = (ms: number): string => `${new Date(ms).toISOString().slice(11, 16)} UTC`;

type Left = { readonly id: string; readonly untilMs: number | undefined };

const SANDBOX_GONE = /^(?:Sandbox (?:\w+ )?not found:|The sandbox ended or was paused while)/;
const LEFT_OPEN =
  'Hint: This run ended the sandbox before a call to it was over: `await` each call before kill(), in `try { return await … } finally { … }` as well.';

/** Whether a call failed on a sandbox that a later call of the run ended. */
function isLeftOpen({ act, code }: LedgerEntry, later: readonly LedgerEntry[]): boolean {
  const id = act?.id;
  return code === 'sandbox_failed' && id !== undefined && later.some(entry => endedBy(entry) === bare(id));
}

/** Sandboxes that this run created and that were neither killed nor paused nor have expired. */
function leftRunning(ledger: readonly LedgerEntry[], nowMs: number): Left[] {
  const gone = new Set<string>();
  for (const entry of ledger) {
    const ended = endedBy(entry);
    if (ended !== undefined) gone.add(ended);
    const { act, status } = entry;
    // The sandbox was paused and is resumed now: starting a killed one would have failed.
    if (act?.effect === 'starts' && act.id !== undefined && succeeded(status)) gone.delete(bare(act.id));
  }
  return ledger.flatMap(({ made = [], untilMs }) =>
    made
      .filter(id => !gone.has(bare(id)))
      .map(id => ({ id, untilMs: lastUntil(ledger, id) ?? untilMs }))
      .filter(left => left.untilMs === undefined || left.untilMs > nowMs),
  );
}

/** When the sandbox expires, as the last call that changed it has set. */
const lastUntil = (ledger: readonly LedgerEntry[], id: string): number | undefined =>
  ledger.findLast(({ act, untilMs }) => untilMs !== undefined && act?.id !== undefined && bare(act.id) === bare(id))
    ?.untilMs;

function endedBy({ act, status }: LedgerEntry): string | undefined {
  const gone = act?.resource === 'sandbox' && (act.effect === 'ends' || act.effect === 'stops');
  return gone && (status === 404 || succeeded(status)) && act.id !== undefined ? bare(act.id) : undefined;
}

const succeeded = (status: LedgerEntry['status']): boolean =>
  status === 'done' || (typeof status === 'number' && status < 300);

/** To E2B, `<id>-<client>` and `<id>` are the same sandbox. */
const bare = (id: string) => id.split('-', 1)[0] ?? id;
