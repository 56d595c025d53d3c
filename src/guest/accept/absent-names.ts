// Names that are not here and that models write from memory: reading one throws the error that says what to use instead,
// so that code which catches it sees the same words. `typeof name` stays "undefined", and a name that the code makes
// itself is left alone. Pure.
import type { AnyNode, Identifier } from 'acorn';
import type { Surface } from '../../engine/engine.ts';
import { insteadOf, insteadOfModule } from '../absent.ts';
import { SDK_GLOBAL } from '../prelude/e2b/sdk.ts';
import { type Edit, insert } from './forms.ts';
import { isSdk } from './modules.ts';
import { namesIn } from './names.ts';
import { nodesOf } from './syntax.ts';

/** Each makes the code longer. */
const MAX_NAMES = 50;

/** What goes before and behind such names: between them is what shapes the program as a whole. */
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
    // A bracket at the start of a statement would call the line before it.
    const [open, close] = statements.has(node.start) ? ['Array.of(', ')[0]'] : ['(', ')'];
    before.push(insert(node.start, `${short.has(node) ? `${node.name}:` : ''}${open}${check}`));
    behind.push(insert(node.end, close));
  }
  return { before, behind };
}

const WORD = /(?<![\w$.])[A-Za-z_$][\w$]*/g;
const DECLARED = /\b(?:const|let|var|function|class)\s+([A-Za-z_$][\w$]*)/g;

/** Whether it is worth the look at every node: most code names nothing that is absent. */
function namesAbsent(text: string): boolean {
  const declared = new Set([...text.matchAll(DECLARED)].map(([, name]) => name));
  return (text.match(WORD) ?? []).some(word => insteadOf(word, 'write') !== undefined && !declared.has(word));
}

/** `globalThis.name = …`, or by a text that names it. */
function isMadeGlobal(text: string, name: string): boolean {
  const escaped = name.replaceAll('$', '\\$');
  return new RegExp(String.raw`(?:globalThis|global|self|this)\s*\.\s*${escaped}(?![\w$])|(['"\`])${escaped}\1`).test(
    text,
  );
}

/** The `require` of each `require('module')` -> what to use instead of the module. */
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

/** `import('module')` as an expression. */
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

/** An expression: which tool the code runs in is known when it runs, and `api` is in all but search. */
function words(of: (surface: Surface) => string | undefined): string | undefined {
  const [inSearch, elsewhere] = [of('search'), of('write')].map(text => text && JSON.stringify(text));
  return inSearch === elsewhere ? elsewhere : `(typeof api=="undefined"?${inSearch}:${elsewhere})`;
}

const wordsOfModule = (module: string): string | undefined => words(surface => insteadOfModule(module, surface));
