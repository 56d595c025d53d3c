// Explains a result that is probably not what the agent meant, such as undefined. Pure; the length of every part is limited.
import { cut } from './cut.ts';
import { UNAWAITED } from './hints.ts';

const MAX_NOTE = 1_500;
const MAX_TEXT = 20_000;

type Returned = {
  /** The note that the guest wrote. */
  readonly note?: string | undefined;
  readonly json?: string;
  readonly stdout?: string;
  /** Whether the run used runCode. */
  readonly ranCode?: boolean;
  /** The agent's code. */
  readonly text?: string;
};

export function explainNote({ note, json, stdout = '', ranCode = false, text = '' }: Returned): string | undefined {
  const code = text.slice(0, MAX_TEXT);
  const returnedNothing = note !== undefined && RETURNED_NOTHING.test(note);
  const parts = [
    returnedNothing && UNAWAITED.test(code) ? MISSING_AWAIT : note && cut(note, MAX_NOTE),
    returnedNothing && ranCode && OF_RUN_CODE,
    note === undefined && json === 'null' && stdout.trim() === '' && NOTHING,
    (returnedNothing || /\bnull\b/.test(json ?? '')) && misspelt(code),
  ];
  const notes = parts.filter(part => typeof part === 'string' && part !== '');
  return notes.length === 0 ? undefined : notes.join(' ');
}

const RETURNED_NOTHING = /^The function returned undefined/;
const NOTHING = 'The function returned null.';
const OF_RUN_CODE = 'What runCode printed is in logs.stdout, text is the value of the last line.';
const MISSING_AWAIT =
  'The function returned undefined: an `await` is missing before the call whose field is read, e.g. (await Sandbox.list()).length.';

const SDK_SPELLING = /\.(sandbox|template|build|volume|snapshot|webhook)Id\b/;
const API_SPELLING = /\.(sandbox|template|build|volume|snapshot|webhook)ID\b/;

/** REST responses have `sandboxID`, objects of the SDK `sandboxId`; the other spelling is undefined. */
function misspelt(code: string): string | undefined {
  const usesApi = /\bapi\.request\b/.test(code);
  const sdk = SDK_SPELLING.exec(code)?.[1];
  if (usesApi && sdk !== undefined && !/\bSandbox\.(?:list|getInfo)\b/.test(code))
    return `REST answers spell it ${sdk}ID; only objects of Sandbox have ${sdk}Id.`;
  const rest = API_SPELLING.exec(code)?.[1];
  if (!usesApi && rest !== undefined && /\bSandbox\./.test(code))
    return `Objects of Sandbox spell it ${rest}Id; only REST answers have ${rest}ID.`;
  return undefined;
}
