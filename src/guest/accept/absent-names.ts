// Edits the code so that reading a global that does not exist here (see ../absent.ts) throws a ReferenceError that says what
// to use instead; code that catches the error sees that sentence too. `typeof name` stays "undefined", and names that the
// code declares itself are not touched. Pure.
import type { AnyNode, Identifier } from 'acorn';
import type { Surface } from '../../engine/engine.ts';
import { insteadOf, insteadOfModule } from '../absent.ts';
import { SDK_GLOBAL } from '../prelude/e2b/sdk.ts';
import { type Edit, insert } from './forms.ts';
import { isSdk } from './modules.ts';
import { namesIn } from './names.ts';
import { nodesOf } from './syntax.ts';

/** Maximum number of names that get a check, because each check makes the code longer. */
const MAX_NAMES = 50;

/** Edits before and behind such names. Kept apart because the edits of forms.ts are applied between them. */
export type Around = { readonly before: readonly Edit[]; readonly behind: readonly Edit[] };
const NOTHING: Around = { before: [], behind: [] };

export function absentNames(text: string, root: AnyNode): Around {
  const imports = /\bimport\s*\(/.test(text);
  if (!imports && !namesAbsent(text)) return NOTHING;
  const before: Edit[] = imports ? importedModules(root) : [];
  const behind: Edit[] = [];
  const { read, made, short, statements } = namesIn(root);
  const required = /\brequire\s*\(/.test(text) ? requiredModules(root) : new Map<Identifier, string>();
  const global = new Map<string, boolean>();
  for (const node of read) {
    const instead = required.get(node) ?? words(surface => insteadOf(node.name, surface));
    if (instead === undefined || made.has(node.name)) continue;
    const isGlobal = global.get(node.name) ?? isMadeGlobal(text, node.name);
    global.set(node.name, isGlobal);
    if (isGlobal) continue;
    if (behind.length >= MAX_NAMES) break;
    const message = `${JSON.stringify(`${node.name} is not defined. `)}+${instead}`;
    const check = `typeof ${node.name}=="undefined"?(()=>{throw new ReferenceError(${message})})():`;
    // A line that starts with a bracket would be read as a call of the line before it.
    const [open, close] = statements.has(node.start) ? ['Array.of(', ')[0]'] : ['(', ')'];
    before.push(insert(node.start, `${short.has(node) ? `${node.name}:` : ''}${open}${check}`));
    behind.push(insert(node.end, close));
  }
  return { before, behind };
}

const WORD = /(?<![\w$.])[A-Za-z_$][\w$]*/g;
const DECLARED = /\b(?:const|let|var|function|class)\s+([A-Za-z_$][\w$]*)/g;

/** A quick test on the text. Most code uses no absent name, and then the syntax tree need not be searched. */
function namesAbsent(text: string): boolean {
  const absent = (text.match(WORD) ?? []).filter(word => insteadOf(word, 'write') !== undefined);
  if (absent.length === 0) return false;
  const declared = new Set([...text.matchAll(DECLARED)].map(([, name]) => name));
  return absent.some(word => !declared.has(word));
}

/** Whether the code may define the global itself: by `globalThis.name = …`, or with its name in a string. */
function isMadeGlobal(text: string, name: string): boolean {
  const escaped = name.replaceAll('$', '\\$');
  return new RegExp(String.raw`(?:globalThis|global|self|this)\s*\.\s*${escaped}(?![\w$])|(['"\`])${escaped}\1`).test(
    text,
  );
}

/** The identifier `require` of each `require('module')` -> what to use instead of the module. */
function requiredModules(root: AnyNode): Map<Identifier, string> {
  const required = new Map<Identifier, string>();
  for (const { node } of nodesOf(root)) {
    if (node.type !== 'CallExpression' || node.callee.type !== 'Identifier' || node.callee.name !== 'require') continue;
    const [module] = node.arguments;
    const instead = module?.type === 'Literal' ? wordsOfModule(String(module.value)) : undefined;
    if (instead !== undefined) required.set(node.callee, instead);
  }
  return required;
}

/** Edits that replace each `import('module')`: by the SDK's global, or by a promise that rejects with the explanation. */
function importedModules(root: AnyNode): Edit[] {
  const edits: Edit[] = [];
  for (const { node } of nodesOf(root)) {
    if (node.type !== 'ImportExpression' || node.source.type !== 'Literal') continue;
    const module = String(node.source.value);
    const instead = wordsOfModule(module);
    const refused =
      instead && `Promise.reject(new Error(${JSON.stringify(`There is no module ${module} here. `)}+${instead}))`;
    const by = isSdk(module) ? `Promise.resolve(globalThis.${SDK_GLOBAL})` : refused;
    if (by !== undefined) edits.push({ start: node.start, end: node.end, text: by });
  }
  return edits;
}

/** The sentence as a JavaScript expression. Whether the tool is search is known only at run time: search has no `api`. */
function words(of: (surface: Surface) => string | undefined): string | undefined {
  const [inSearch, elsewhere] = [of('search'), of('write')].map(text => text && JSON.stringify(text));
  return inSearch === elsewhere ? elsewhere : `(typeof api=="undefined"?${inSearch}:${elsewhere})`;
}

const wordsOfModule = (module: string): string | undefined => words(surface => insteadOfModule(module, surface));
