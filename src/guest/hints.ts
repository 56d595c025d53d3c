// The commonest mistakes in agents' code -> what to write instead. A table, first match wins; every text is ours, only
// identifiers come from the error. Pure.
import type { GuestError, Surface } from '../engine/engine.ts';
import { GLOBALS } from './globals.ts';

export type Mistake = {
  readonly error: GuestError;
  readonly surface: Surface;
  readonly globals: readonly string[];
  /** The agent's whole text, and its line at the error ('' when unknown). */
  readonly text: string;
  readonly line: string;
};

type Rule = (mistake: Mistake) => string | undefined;

const ANSWER = 'api.request answers { status, ok, data, headers }';
const NO_FUNCTION = /not a function|is not callable/i;
const OF_NOTHING = /(?:of|from) (?:undefined|null)|(?:undefined|null) (?:or null )?(?:is not|has no|to object)/i;
const NOT_ITERABLE = /not iterable|value is not iterable/i;
const IDENTIFIER = '[\'"`]?([A-Za-z_$][\\w$]{0,60})[\'"`]?';
/** Nothing behind it: where the guest named what to use instead, that is enough. */
const UNDEFINED_NAME = new RegExp(`${IDENTIFIER} is not defined$`);
/** A call that answers with a promise, used without await. Repeats are bounded: the text may be hostile. */
const CALL = String.raw`(?:api\.request|Sandbox\.\w{1,40}|\w{1,40}\.(?:commands\.run|files\.\w{1,40}|runCode))`;
const UNAWAITED = [
  new RegExp(String.raw`=\s*${CALL}\(`),
  new RegExp(String.raw`(?<!await\s{1,5})${CALL}\([^()\n]*(?:\([^()\n]*\)[^()\n]*)*\)\s*\??\.(?!then|catch|finally)\w`),
];

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
  ({ error, text, line }) =>
    NO_FUNCTION.test(error.message) && /\.(?:json|text|blob|arrayBuffer)\s*\(\s*\)/.test(line || text)
      ? `${ANSWER}: data is parsed already, so there is no json() or text().`
      : undefined,
  ({ error, line }) => (NO_FUNCTION.test(error.message) ? hintForMethod(line) : undefined),
  ({ error, text, line }) => {
    const wrong = OF_NOTHING.test(error.message) || NO_FUNCTION.test(error.message) || NOT_ITERABLE.test(error.message);
    return wrong && UNAWAITED.some((pattern, at) => pattern.test(at === 0 ? text : line || text))
      ? 'An `await` is missing: api.request and the methods of Sandbox answer with promises.'
      : undefined;
  },
  ({ error, text, line }) =>
    OF_NOTHING.test(error.message) &&
    /\.(?:body|result|json|response)\b/.test(line || text) &&
    /api\.request/.test(text)
      ? `${ANSWER}: use .data.`
      : undefined,
  ({ error, text }) =>
    (OF_NOTHING.test(error.message) || NOT_ITERABLE.test(error.message) || NO_FUNCTION.test(error.message)) &&
    /api\.request/.test(text)
      ? `${ANSWER}. A status outside 2xx does not throw: check ok, and return data once to see its shape.`
      : undefined,
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
    return name === undefined ? undefined : hintForName(name, mistake.surface, mistake.globals);
  }
  for (const rule of RULES) {
    const hint = rule(mistake);
    if (hint !== undefined) return mistake.error.message.includes(hint) ? undefined : hint;
  }
  return undefined;
}

const globalsLine = (globals: readonly string[]): string => `Globals: ${globals.join(', ')}.`;

function hintForName(name: string, surface: Surface, globals: readonly string[]): string {
  const there = globalsLine(globals);
  if (name === 'await') return '`await` stands in a function that is not async: make that function async.';
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
  return there;
}

/** The registry's message says what happened; this says where to look. */
function hintForCode(code: string, message: string): string | undefined {
  if (code === 'method_refused')
    return message.includes('execute_write') ? undefined : 'Use execute_write for calls that change something.';
  if (code === 'path_unlisted') return 'Look the operation up with search: find("what you want to do").';
  if (code === 'request_invalid') return 'search shows the parameters: describe("POST /path").';
  if (code === 'never_settles') return 'Look for a promise that nobody resolves, e.g. new Promise(() => {}).';
  return undefined;
}

const METHODS: readonly (readonly [RegExp, string])[] = [
  [
    /\bapi\.(?:get|post|put|patch|delete|head|fetch|call)\s*\(/i,
    'api has one method: api.request({ method, path, query, body }).',
  ],
  [/\bapi\s*\(/, 'api is an object: api.request({ method, path, query, body }).'],
  [
    /\.(?:close|destroy|stop|terminate|shutdown|delete)\s*\(/,
    'A sandbox ends with `await sandbox.kill()` and sleeps with `await sandbox.pause()`.',
  ],
  [
    /\.(?:process\.\w+|exec|execute|startAndWait|run|bash|shell)\s*\(/,
    'Commands run with `await sandbox.commands.run("…")`.',
  ],
  [
    /\.(?:filesystem\.\w+|readFile|writeFile|uploadFile|downloadFile|upload|download)\s*\(/,
    'Files are at `sandbox.files`: read, write, list, remove …',
  ],
  [/\.(?:notebook\.\w+|execCell|codeInterpreter\.\w+|run_code)\s*\(/, 'Code runs with `await sandbox.runCode("…")`.'],
];

const hintForMethod = (line: string): string | undefined => METHODS.find(([pattern]) => pattern.test(line))?.[1];
