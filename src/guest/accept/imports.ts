// Imports of what is global already: the API's SDK as its own examples begin, and a few of Node's modules. Each becomes what
// it means here, in the same place and of the same length. Pure.
import type { AnyNode, ImportDeclaration } from 'acorn';
import { SDK_GLOBAL, SDK_MODULES } from '../prelude/e2b/sdk.ts';
import { nodesOf } from './syntax.ts';

const SDKS: readonly unknown[] = SDK_MODULES;
const ANY_SDK = `globalThis.${SDK_GLOBAL}`;

/** Of Node's modules, what the guest has under the same name. */
const BUILT_IN: Readonly<Record<string, readonly string[]>> = {
  buffer: ['Buffer', 'Blob', 'atob', 'btoa'],
  console: ['console'],
  crypto: ['crypto'],
  perf_hooks: ['performance'],
  timers: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'],
  url: ['URL', 'URLSearchParams'],
  util: ['TextEncoder', 'TextDecoder'],
};
/** The gateway has the key: reading a .env file does nothing. */
const DOTENV = /^dotenv(?:\/config)?$/;

type Replacement = { readonly start: number; readonly end: number; readonly by: string };

/** `text` without them, every other character in its place; the same text where there are none. */
export function withoutSdkImports(text: string, root: AnyNode): string {
  if (!/\b(?:import|require)\b/.test(text)) return text;
  let out = text;
  const replaced: Replacement[] = [];
  for (const { node } of nodesOf(root)) {
    for (const replacement of replacementsIn(node)) {
      const { start, end, by } = replacement;
      // Parents come first: whatever is inside one that was replaced is gone.
      const isGone = replaced.some(other => other.start <= start && end <= other.end);
      if (isGone || by.length > end - start) continue;
      replaced.push(replacement);
      const rest = out.slice(start + by.length, end).replace(/[^\n]/g, ' ');
      out = out.slice(0, start) + by + rest + out.slice(end);
    }
  }
  return out;
}

function replacementsIn(node: AnyNode): readonly Replacement[] {
  // Only in a list of statements: behind `if (…)`, what follows would take the place of a blanked one.
  if (node.type === 'Program' || node.type === 'BlockStatement')
    return node.body.flatMap(statement => {
      const by = statement.type === 'ImportDeclaration' ? importedAs(statement) : dynamic(statement);
      return by === undefined ? [] : [{ start: statement.start, end: statement.end, by }];
    });
  return isSdkCall(node) ? [{ start: node.start, end: node.end, by: ANY_SDK }] : [];
}

/** The statement an import means; undefined for one that means nothing here. */
function importedAs({ source, specifiers }: ImportDeclaration): string | undefined {
  const module = String(source.value);
  const isSdk = SDKS.includes(module);
  if (DOTENV.test(module)) return specifiers.length === 0 ? ';' : dotenvAs(specifiers[0]);
  if (isSdk) return declared(specifiers.flatMap(aliasOf));
  const there = BUILT_IN[module.replace(/^node:/, '')];
  const known = specifiers.every(
    each =>
      there?.includes(each.local.name) === true &&
      (each.type !== 'ImportSpecifier' || nameOf(each.imported) === each.local.name),
  );
  return there !== undefined && specifiers.length > 0 && known ? ';' : undefined;
}

/** The semicolon keeps the lines before and behind apart. */
const declared = (aliases: readonly string[]): string => (aliases.length === 0 ? ';' : `const ${aliases.join()};`);

function aliasOf(specifier: ImportDeclaration['specifiers'][number]): string[] {
  const { local } = specifier;
  const own =
    specifier.type === 'ImportNamespaceSpecifier'
      ? SDK_GLOBAL
      : specifier.type === 'ImportDefaultSpecifier'
        ? 'Sandbox'
        : (nameOf(specifier.imported) ?? '');
  const meant = own === 'default' ? 'Sandbox' : own;
  return meant === local.name ? [] : [`${local.name}=${meant}`];
}

function dotenvAs(specifier: ImportDeclaration['specifiers'][number] | undefined): string | undefined {
  if (specifier === undefined) return undefined;
  const { name } = specifier.local;
  return specifier.type === 'ImportSpecifier' ? `const ${name}=()=>({});` : `const ${name}={config(){}};`;
}

/** `const { Sandbox } = require('…')`, and `require('dotenv').config()`. */
function dynamic(statement: AnyNode): string | undefined {
  if (statement.type === 'ExpressionStatement') {
    const { expression } = statement;
    if (expression.type !== 'CallExpression' || expression.callee.type !== 'MemberExpression') return undefined;
    return DOTENV.test(requiredBy(expression.callee.object) ?? '') ? ';' : undefined;
  }
  if (statement.type !== 'VariableDeclaration') return undefined;
  const isKnown = statement.declarations.every(({ id, init }) => init && isSdkCall(init) && picksGlobals(id));
  return isKnown ? ';' : undefined;
}

/** `require('…')` or `await import('…')` of the SDK. */
function isSdkCall(node: AnyNode): boolean {
  if (node.type === 'AwaitExpression' && node.argument.type === 'ImportExpression') {
    const { source } = node.argument;
    return source.type === 'Literal' && SDKS.includes(source.value);
  }
  return SDKS.includes(requiredBy(node) ?? '');
}

function requiredBy(node: AnyNode): string | undefined {
  if (node.type !== 'CallExpression' || nameOf(node.callee) !== 'require' || node.arguments.length !== 1)
    return undefined;
  const [module] = node.arguments;
  return module?.type === 'Literal' && typeof module.value === 'string' ? module.value : undefined;
}

/** `{ Sandbox, FileType }`: nothing renamed, so the globals are meant. */
function picksGlobals(pattern: AnyNode): boolean {
  return (
    pattern.type === 'ObjectPattern' &&
    pattern.properties.length > 0 &&
    pattern.properties.every(
      property => property.type === 'Property' && property.shorthand && property.value.type === 'Identifier',
    )
  );
}

const nameOf = (node: AnyNode): string | undefined => (node.type === 'Identifier' ? node.name : undefined);
