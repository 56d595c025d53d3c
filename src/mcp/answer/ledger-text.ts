// Formats the ledger for a model: repeated calls are folded, long ledgers cut, unknown outcomes always shown. Pure.
import type { Ended, LedgerEntry } from '../../broker/ledger.ts';

const MAX_LINES = 40;
const MAX_LABEL = 160;

type Fold = { readonly text: string; readonly unknown: boolean; count: number; minMs: number; maxMs: number };

/** One line if every call succeeded (`calls: 6 calls, 180 ms`), else one line per call. `durationMs`: the whole run. */
export function ledgerText(ledger: readonly LedgerEntry[], durationMs: number): string {
  if (!ledger.every(wentWell)) return `calls:\n${ledgerLines(ledger).join('\n')}`;
  return `calls: ${ledger.length === 1 ? '1 call' : `${ledger.length} calls`}, ${Math.round(durationMs)} ms`;
}

function wentWell({ status, code, ended }: LedgerEntry): boolean {
  if (code !== undefined || status === 'failed' || status === 'refused' || status === 'unknown') return false;
  if (ended !== undefined && !('httpStatus' in ended && ended.httpStatus < 400)) return false;
  return status === 'done' || status < 400;
}

/** `GET /v2/sandboxes → 200 (12 ms)`; consecutive equal lines become one with `×3`. */
export function ledgerLines(ledger: readonly LedgerEntry[]): string[] {
  const folds: Fold[] = [];
  for (const entry of ledger) {
    const text = `${short(entry.label)}${madeBy(entry)} → ${outcomeOf(entry)}${approvedBy(entry)}`;
    const last = folds.at(-1);
    if (last?.text === text) {
      last.count += 1;
      last.minMs = Math.min(last.minMs, entry.ms);
      last.maxMs = Math.max(last.maxMs, entry.ms);
    } else folds.push({ text, unknown: entry.status === 'unknown', count: 1, minMs: entry.ms, maxMs: entry.ms });
  }
  const shown = folds.slice(0, MAX_LINES);
  const rest = folds.slice(MAX_LINES);
  const hidden = rest.filter(fold => !fold.unknown).reduce((sum, fold) => sum + fold.count, 0);
  return [
    ...shown.map(lineOf),
    ...(hidden > 0 ? [`… ${hidden} more calls`] : []),
    ...rest.filter(fold => fold.unknown).map(lineOf),
  ];
}

function lineOf({ text, count, minMs, maxMs }: Fold): string {
  const [min, max] = [Math.round(minMs), Math.round(maxMs)];
  return `${text}${count > 1 ? ` ×${count}` : ''} (${min === max ? min : `${min}–${max}`} ms)`;
}

/** `200`, `done`, `exit 1`, `error KeyError`, `refused method_refused`. */
export function outcomeOf({ status, code, write, ended }: LedgerEntry): string {
  const codeText = code === undefined ? '' : ` ${code}`;
  if (status === 'unknown') return write ? `sent, outcome unknown${codeText}` : `no answer${codeText}`;
  return `${ended === undefined ? status : endOf(ended)}${codeText}`;
}

const approvedBy = ({ approval }: LedgerEntry): string => {
  if (approval === undefined || approval.answer === 'refused') return '';
  if (approval.answer === 'unasked') return ', nobody was asked';
  return `, approved by the person at ${new Date(approval.atMs).toISOString().slice(11, 16)} UTC`;
};

const MAX_MADE = 5;

/** ` i1, i2`: the ids of new sandboxes, which later code needs to use or to kill them. */
const madeBy = ({ made = [] }: LedgerEntry): string =>
  made.length === 0 ? '' : ` ${made.slice(0, MAX_MADE).join(', ')}${made.length > MAX_MADE ? ', …' : ''}`;

function endOf(ended: Ended): string {
  const how =
    'exitCode' in ended
      ? `exit ${ended.exitCode}`
      : 'error' in ended
        ? `error ${ended.error}`
        : `HTTP ${ended.httpStatus}`;
  return ended.detail === undefined ? how : `${how}: ${ended.detail}`;
}

const short = (label: string): string => {
  const line = label.replace(/\s+/g, ' ');
  return line.length > MAX_LABEL ? `${line.slice(0, MAX_LABEL)}…` : line;
};
