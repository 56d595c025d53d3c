// Explains a run that hit a time limit: which call it waited for, at which line, and what did not run. Pure.
import type { LedgerEntry } from '../../broker/ledger.ts';

const MAX_LINES = 3;
const MAX_TEXT_CHARS = 20_000;

/** Returns notes for inside the envelope, or none if nothing is known. `text`: the agent's code. */
export function whereItHung(text: string, ledger: readonly LedgerEntry[]): string[] {
  const code = text.slice(0, MAX_TEXT_CHARS);
  const waiting = ledger.findLast(entry => entry.code === 'cancelled');
  const sentences = waiting === undefined ? [] : [`It was waiting for ${nameOf(waiting)}${placesOf(code, waiting)}.`];
  if (/\bfinally\s*\{/.test(code)) sentences.push('Its `finally` blocks did not run.');
  return sentences.length === 0 ? [] : [`note: ${sentences.join(' ')}`];
}

/** `Sandbox.commands.run`, or `api.request` with its method and path. */
const nameOf = ({ label }: LedgerEntry): string =>
  /^[A-Z]+ \//.test(label) ? `api.request (${label.slice(0, 120)})` : (label.split(' ', 1)[0] ?? label);

/** Names the lines that contain such a call. With several, the run may have stopped at any of them. */
function placesOf(code: string, { label }: LedgerEntry): string {
  const method = /^[A-Z]+ \//.test(label) ? 'request' : (/^[\w.]*?(\w+)(?: |$)/.exec(label)?.[1] ?? '');
  const call = new RegExp(String.raw`\.\s*${method}\s*\(`);
  const lines = code.split('\n').flatMap((line, at) => (method !== '' && call.test(line) ? [at + 1] : []));
  if (lines.length === 0) return '';
  return ` at line ${lines.slice(0, MAX_LINES).join(' or ')}${lines.length > MAX_LINES ? ' or later' : ''}`;
}
