// Hints for the most common mistakes in agents' code. A table of rules, of which the first match wins; only identifiers in
// a hint come from the error. Pure.
import type { GuestError, Surface } from '../../engine/engine.ts';
import { API_METHOD, INSTEAD } from '../absent.ts';
import { foreignMessage } from '../accept/foreign.ts';
import { languageOf } from '../accept/language.ts';
import { GLOBALS } from '../globals.ts';
import type { Callee } from './callee.ts';
import { hintForCallees } from './callee-hints.ts';
import { isOwnChain } from './own.ts';

export type Mistake = {
  readonly error: GuestError;
  readonly surface: Surface;
  readonly globals: readonly string[];
  /** The agent's whole text. */
  readonly text: string;
  /** The line of the error, and the names joined by dots at its column: `r.data.map`. '' if unknown. */
  readonly line: string;
  readonly chain: string;
  /** The called expressions that may not be functions. */
  readonly callees: readonly Callee[];
};

type Rule = (mistake: Mistake) => string | undefined;

const ANSWER = 'api.request answers { status, ok, data, headers }';
const NO_FUNCTION = /not a function|is not callable/i;
const OF_NOTHING = /(?:of|from) (?:undefined|null)|(?:undefined|null) (?:or null )?(?:is not|has no|to object)/i;
const NOT_ITERABLE = /not (?:async )?iterable/i;
const IDENTIFIER = '[\'"`]?([A-Za-z_$][\\w$]{0,60})[\'"`]?';
/** Only at the end of the message: a message that continues already says what to use instead. */
const UNDEFINED_NAME = new RegExp(`${IDENTIFIER} is not defined$`);
/** A call that returns a promise. Repetitions are limited, because the text may be hostile. */
const CALL = String.raw`(?:api\.request|Sandbox\.\w{1,40}|\w{1,40}\.(?:commands\.run|files\.\w{1,40}|runCode))`;
export const UNAWAITED = new RegExp(
  String.raw`(?<!await\s{1,5})${CALL}\([^()\n]*(?:\([^()\n]*\)[^()\n]*)*\)\s*\??\.(?!then|catch|finally)\w`,
);

const isWrong = ({ message }: GuestError): boolean =>
  OF_NOTHING.test(message) || NO_FUNCTION.test(message) || NOT_ITERABLE.test(message);

/** Whether the first name of the chain at the error is a variable to which the result of `call` was assigned. */
function comesFrom({ chain, text }: Mistake, call: string): boolean {
  const root = /^[A-Za-z_$][\w$]{0,60}/.exec(chain)?.[0].replaceAll('$', '\\$');
  return (
    root !== undefined && new RegExp(String.raw`(?<![\w$.])${root}(?![\w$])[^=;\n(]{0,80}=\s*${call}\s*\(`).test(text)
  );
}

/** For `globalThis.fetch(…)`, `api.sandboxes.list()`: such members are undefined, without the error that a bare name gives. */
function hintForAbsentMember(chain: string): string | undefined {
  const [, owner, name = ''] = /^(globalThis|global|api)\??\.([A-Za-z_$][\w$]{0,60})/.exec(chain) ?? [];
  if (owner === undefined) return undefined;
  if (owner === 'api') return name === 'request' ? undefined : API_METHOD;
  return INSTEAD[name];
}

/** The names of the outermost function's parameters. Destructured parameters are refused before the run. */
function parametersOf(text: string): string[] {
  const [, listed, single] =
    /^\s*(?:export\s+default\s+)?(?:async\s+)?(?:function\s*[\w$]*\s*)?(?:\(([\w$\s,=:{}]{1,200})\)|([\w$]{1,60})\s*=>)/.exec(
      text,
    ) ?? [];
  return (listed ?? single ?? '').split(',').map(parameter => /^\s*([\w$]+)/.exec(parameter)?.[1] ?? '');
}

const RULES: readonly Rule[] = [
  ({ error, text, line }) => {
    if (error.name !== 'SyntaxError') return undefined;
    return /JSON\.parse/.test(line || text)
      ? `JSON.parse got something that is no JSON. ${ANSWER}: data is parsed already.`
      : 'The engine does not know this syntax: write plain ES2023.';
  },
  ({ error, line }) =>
    /\bimport\s*\(|\brequire\s*\(/.test(line) || /dynamic import|could not load module/i.test(error.message)
      ? 'There are no modules here: what is available is global.'
      : undefined,
  ({ line }) =>
    /\bnew\s+Sandbox\b/.test(line)
      ? 'A sandbox is made by `await Sandbox.create()`, or reached by `await Sandbox.connect(id)`.'
      : undefined,
  mistake => {
    const wrong = isWrong(mistake.error);
    return wrong && (comesFrom(mistake, CALL) || UNAWAITED.test(mistake.line))
      ? 'An `await` is missing: api.request and the methods of Sandbox answer with promises.'
      : undefined;
  },
  ({ error, chain, text }) => {
    const root = /^[A-Za-z_$][\w$]{0,60}/.exec(chain)?.[0];
    return OF_NOTHING.test(error.message) && root !== undefined && parametersOf(text).includes(root)
      ? `The function gets no arguments, so \`${root}\` is undefined: const ${root} = await Sandbox.create(), or Sandbox.connect(id), first.`
      : undefined;
  },
  ({ error, chain }) => (isWrong(error) ? hintForAbsentMember(chain) : undefined),
  mistake => hintForCallees(mistake),
  mistake => {
    const { error, chain, text } = mistake;
    const ofAnswer = comesFrom(mistake, String.raw`await\s+api\.request`);
    if (!isWrong(error) || !(ofAnswer || (/api\.request/.test(text) && !/\bSandbox\./.test(text)))) return undefined;
    if (OF_NOTHING.test(error.message) && /\.(?:body|result|json|response)\b/.test(chain))
      return `${ANSWER}: use .data.`;
    return `${ANSWER}. A status outside 2xx does not throw: check ok, and return data once to see its shape.`;
  },
  ({ error, surface }) =>
    OF_NOTHING.test(error.message) && surface === 'search'
      ? 'Look at the shape first: return Object.keys(spec), or use find(query) and describe(operation).'
      : undefined,
  ({ error }) =>
    /call stack|stack overflow/i.test(error.message) ? 'A function calls itself without end.' : undefined,
  ({ error }) => (/circular/i.test(error.message) ? 'Return plain data: pick the fields you need.' : undefined),
];

export function hintFor(mistake: Mistake): string | undefined {
  const { code, message } = mistake.error;
  if (code !== undefined) return hintForCode(code, message);
  if (mistake.error.name === 'ReferenceError') {
    const name = UNDEFINED_NAME.exec(message)?.[1];
    if (name === undefined) return undefined;
    const language = languageOf(mistake.text, mistake.text.length);
    if (language !== undefined) return `${foreignMessage(language, mistake.surface)}.`;
    return hintForName(name, mistake);
  }
  for (const rule of RULES) {
    const hint = rule(mistake);
    if (hint !== undefined) return mistake.error.message.includes(hint) ? undefined : hint;
  }
  return undefined;
}

const globalsLine = (globals: readonly string[]): string => `Globals: ${globals.join(', ')}.`;

function hintForName(name: string, { surface, globals, text }: Mistake): string {
  const there = globalsLine(globals);
  if (name === 'await') return '`await` is in a function that is not async: make that function async.';
  if (surface === 'search' && GLOBALS.read.includes(name)) {
    return `\`${name}\` is in execute_read and execute_write; search only looks at the description. ${there}`;
  }
  if (surface !== 'search' && GLOBALS.search.includes(name)) {
    return `\`${name}\` is in search only: look operations up there, then call them here with api.request. ${there}`;
  }
  if (/^(?:sandbox|sbx|sb)$/.test(name) && globals.includes('Sandbox')) {
    return `Make or reach one first: const ${name} = await Sandbox.connect(id). ${there}`;
  }
  const near = globals.find(global => global.toLowerCase() === name.toLowerCase());
  if (near !== undefined) return `It is written \`${near}\`. ${there}`;
  // The message is untrusted, so a hint repeats a name only if the agent wrote it.
  const what = isOwnChain(name, text) ? `\`${name}\`` : 'such name';
  return `No ${what} was declared, and nothing is kept from earlier calls: return what the next one needs. ${there}`;
}

/** For errors of the registry, whose message says what happened; the hint adds where to look. */
function hintForCode(code: string, message: string): string | undefined {
  if (code === 'method_refused')
    return message.includes('execute_write') ? undefined : 'Use execute_write for calls that change something.';
  if (code === 'path_unlisted') return 'Look the operation up with search: find("what you want to do").';
  if (code === 'request_invalid' && !message.includes('describe('))
    return 'search shows the parameters: describe("POST /path").';
  if (code === 'never_settles') return 'Look for a promise that is never resolved, e.g. new Promise(() => {}).';
  return undefined;
}
