// Keeps promises that were rejected without a handler, whose errors would be lost, for a note. The engine reports each one
// when it is rejected, and again when a handler is added.
import { CODE_FILE } from '../../engine/protocol.ts';
import { describeThrown } from './errors.ts';
import * as is from './intrinsics.ts';

const MAX_KEPT = 100;
const MAX_SHOWN = 3;
const MAX_MESSAGE_CHARS = 300;

const rejected = new is.MapCtor<unknown, unknown>();
let more = 0;
/** The error that ended the run, once it is known. */
let endedBy: unknown;

/** `handled`: a handler was added later. */
export function reject(promise: unknown, reason: unknown, handled: boolean): void {
  if (handled) is.mapDelete(rejected, promise);
  else if (is.mapSize(rejected) < MAX_KEPT) is.mapSet(rejected, promise, reason);
  else more += 1;
}

/** A note on the rejections since the last call. `except`: the error that ended the run, which is shown anyway. */
export function takeRejections(except: unknown = endedBy): string {
  endedBy = except;
  let shown = '';
  let count = more;
  is.mapForEach(rejected, reason => {
    if (reason === except && reason !== undefined) return;
    count += 1;
    if (count - more <= MAX_SHOWN) shown += `${shown === '' ? '' : '; '}${brief(reason)}`;
  });
  is.mapClear(rejected);
  more = 0;
  if (count === 0) return '';
  const which = count === 1 ? 'A promise that is not awaited was' : `${count} promises that are not awaited were`;
  return `${which} rejected: ${shown}${count > MAX_SHOWN ? '; …' : ''}. Put \`await\` before the call, or use .catch().`;
}

/** The error's name, message and line. */
export function brief(reason: unknown): string {
  const { name, message, stack } = describeThrown(reason);
  const line = lineOf(stack ?? '');
  return `${name}: ${is.slice(message, 0, MAX_MESSAGE_CHARS)}${line === '' ? '' : ` (line ${line})`}`;
}

/** The line of the innermost frame in the agent's code. */
function lineOf(stack: string): string {
  const at = is.indexOf(stack, `${CODE_FILE}:`);
  if (at < 0) return '';
  const start = at + CODE_FILE.length + 1;
  return is.slice(stack, start, is.indexOf(stack, ':', start));
}
