// What the ledger shows that a model's code may have missed: failures that do not throw, sandboxes left running. Pure;
// the gateway's own words, so nothing of them is text from outside.
import type { LedgerEntry } from '../../broker/ledger.ts';

const MAX_IDS = 5;

/** One sentence each. `failed`: the run itself ended with an error, so that its code could not tell. */
export function ledgerHints(ledger: readonly LedgerEntry[], failed: boolean): string[] {
  const ends = ledger.flatMap(({ ended }) => (ended === undefined ? [] : [ended]));
  const hints: string[] = [];
  if (ends.some(ended => 'exitCode' in ended)) {
    hints.push('A command ended with a code other than 0: that does not throw, check exitCode.');
  }
  if (ends.some(ended => 'error' in ended)) {
    hints.push('Code in a sandbox ended with an error: runCode does not throw, check error.');
  }
  const left = failed ? leftRunning(ledger) : [];
  if (left.length > 0) {
    const ids = `${left.slice(0, MAX_IDS).join(', ')}${left.length > MAX_IDS ? ` and ${left.length - MAX_IDS} more` : ''}`;
    hints.push(`Still running: ${ids}. Go on with Sandbox.connect(id) or Sandbox.kill(id).`);
  }
  return hints;
}

/** Made by this run, and neither killed nor paused since. */
function leftRunning(ledger: readonly LedgerEntry[]): string[] {
  const gone = new Set(ledger.map(endedBy));
  return ledger.flatMap(({ made = [] }) => made).filter(id => !gone.has(bare(id)));
}

function endedBy({ act, status }: LedgerEntry): string | undefined {
  const gone = act?.resource === 'sandbox' && (act.effect === 'ends' || act.effect === 'stops');
  const succeeded = status === 'done' || status === 404 || (typeof status === 'number' && status < 300);
  return gone && succeeded && act.id !== undefined ? bare(act.id) : undefined;
}

/** `<id>-<client>` is the same sandbox to E2B. */
const bare = (id: string) => id.split('-', 1)[0] ?? id;
