// Turns an error of the engine into what a model needs to fix its code: message, place, source line and a hint. Pure; the
// length of every part is limited.
import type { GuestError, Surface } from '../../engine/engine.ts';
import { omitUndefined } from '../../ground/omit-undefined.ts';
import { type AcceptedCode, ownColumn } from '../accept/code.ts';
import { type Callee, calleesAt } from './callee.ts';
import { cut } from './cut.ts';
import { hintFor } from './hints.ts';
import { isOwnChain } from './own.ts';

export type Explained = {
  readonly name: string;
  readonly message: string;
  /** 1-based, in the agent's text. */
  readonly line?: number;
  readonly column?: number;
  /** That line, trimmed; a long line is cut around the column. */
  readonly sourceLine?: string;
  /** Written by the gateway: only identifiers in it come from the run. */
  readonly hint?: string;
};

export type ExplainContext = {
  readonly code: AcceptedCode;
  readonly surface: Surface;
  /** GLOBALS[surface], without those that the operator removed. */
  readonly globals: readonly string[];
};

const MAX_NAME = 60;
const MAX_MESSAGE = 2000;
const MAX_LINE = 160;

export function explainError(error: GuestError, { code, surface, globals }: ExplainContext): Explained {
  const lines = code.text.split('\n');
  const line = error.line !== undefined && error.line >= 1 && error.line <= lines.length ? error.line : undefined;
  const whole = line === undefined ? '' : (lines[line - 1] ?? '');
  const column = line === undefined || error.column === undefined ? undefined : ownColumn(code, line, error.column);
  const callees = calleesOf(error, code);
  const text = callees.length > 0 && error.message === NAMELESS ? namedIn(callees) : error.message;
  const bounded = { ...error, message: cut(text, MAX_MESSAGE) };
  const hint = hintFor({
    error: bounded,
    surface,
    globals,
    text: code.text.slice(0, 20_000),
    line: whole.slice(0, 2000),
    chain: callees.length === 1 ? (callees[0]?.text ?? '') : column === undefined ? '' : chainAt(whole, column),
    callees,
  });
  return {
    name: cut(oneLine(error.name), MAX_NAME) || 'Error',
    message: bounded.message,
    ...(line === undefined ? {} : { line, sourceLine: around(whole, column ?? 1) }),
    ...omitUndefined({ column, hint }),
  };
}

/** The whole message of QuickJS. V8's message names the callee: NAMED. */
const NAMELESS = 'not a function';
const NAMED = /^([^\n]{1,80}?) is not (?:a function|(async iterable))/;

function calleesOf({ message, line, column, elsewhere }: GuestError, code: AcceptedCode): readonly Callee[] {
  if (message !== NAMELESS) {
    const [, text, loop] = NAMED.exec(message) ?? [];
    // The message is untrusted and hints are outside the markers of untrusted text, so only the agent's own names go in.
    if (text === undefined || !isOwnChain(text, code.text)) return [];
    return [{ text, as: loop === undefined ? 'call' : 'loop' }];
  }
  return elsewhere === true || line === undefined || column === undefined ? [] : calleesAt(code.source, line, column);
}

function namedIn(callees: readonly Callee[]): string {
  const parts = callees.map(({ text, as }) => `${text} is not ${as === 'loop' ? 'async iterable' : 'a function'}`);
  return parts.length > 2 ? NAMELESS : parts.join(', or ');
}

/** The names joined by dots around a column, from the first name on. */
function chainAt(line: string, column: number): string {
  const left = /[\w$.?!\][]{0,80}$/.exec(line.slice(Math.max(0, column - 81), column - 1))?.[0] ?? '';
  const right = /^[\w$.?!\][]{0,80}/.exec(line.slice(column - 1, column + 79))?.[0] ?? '';
  return (left + right).replace(/^[^A-Za-z_$]+/, '');
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ');

function around(line: string, column: number): string {
  const text = line.trim();
  if (text.length <= MAX_LINE) return text;
  const at = column - 1 - (line.length - line.trimStart().length);
  const from = Math.max(0, Math.min(at - MAX_LINE / 2, text.length - MAX_LINE));
  const shown = text.slice(from, from + MAX_LINE).replace(/\p{Cs}/gu, '');
  return `${from > 0 ? '…' : ''}${shown}${from + MAX_LINE < text.length ? '…' : ''}`;
}
