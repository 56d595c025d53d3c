// Replaces imports of values that are globals here: the API's SDK, and parts of a few Node modules. Each becomes an
// equivalent statement, padded to the same length so that nothing else moves. Pure.
import type { AnyNode, ExportNamedDeclaration, ImportDeclaration } from 'acorn';
import { SDK_GLOBAL } from '../prelude/e2b/sdk.ts';
import { isSdk } from './modules.ts';
import { nodesOf, parseText } from './syntax.ts';

const ANY_SDK = `globalThis.${SDK_GLOBAL}`;

/** The parts of Node's modules that the guest has: exported name -> expression in the guest. */
const BUILT_IN: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  buffer: same('Buffer Blob atob btoa'),
  console: same('console'),
  crypto: { ...same('crypto'), webcrypto: 'crypto', default: 'crypto', randomUUID: 'crypto.randomUUID' },
  perf_hooks: same('performance'),
  timers: same('setTimeout setInterval clearTimeout clearInterval'),
  'timers/promises': { setTimeout: `${SDK_GLOBAL}.sleep` },
  url: same('URL URLSearchParams'),
  util: same('TextEncoder TextDecoder'),
};

function same(names: string): Readonly<Record<string, string>> {
  return Object.fromEntries(names.split(' ').map(name => [name, name]));
}

/** Imports of dotenv have no effect, because the gateway holds the API key. */
const DOTENV = /^dotenv(?:\/config)?$/;

type Replacement = { readonly start: number; readonly end: number; readonly by: string };

/** `text` with these imports replaced; every other character keeps its place. */
export function withoutSdkImports(text: string, root: AnyNode): string {
  if (!/\b(?:import|require|export)\b/.test(text)) return text;
  let out = text;
  const replaced: Replacement[] = [];
  for (const { node } of nodesOf(root)) {
    for (const replacement of replacementsIn(node)) {
      const { start, end, by } = replacement;
      // Parents come first, so nodes inside a replaced one no longer exist.
      const isGone = replaced.some(other => other.start <= start && end <= other.end);
      if (isGone || by.length > end - start) continue;
      replaced.push(replacement);
      const rest = out.slice(start + by.length, end).replace(/[^\n]/g, ' ');
      out = out.slice(0, start) + by + rest + out.slice(end);
    }
  }
  return out;
}

const STATEMENT = /((?:^|;)[ \t]*)(import\s+(?:type\b)?[^;'"()]*?\bfrom\s*(['"])[^'"\n]+\3[ \t]*;?)/gm;
const TYPE_NAME = /(?<=[{,]\s*)type\s+[\w$]+(?:\s+as\s+[\w$]+)?\s*,?/g;

/** For TypeScript: removes types from import statements, and replaces the imports that are known. */
export function withoutTypedImports(text: string): string {
  return text.replace(STATEMENT, (_, before: string, statement: string) => {
    const blank = (part: string) => part.replace(/[^\n]/g, ' ');
    if (/^import\s+type\s+(?!from\b|,)/.test(statement)) return before + blank(statement);
    const plain = statement.replace(TYPE_NAME, blank);
    if (/^import\s*\{\s*\}\s*from/.test(plain)) return before + blank(statement);
    const parsed = parseText(plain.replace(/,(\s*\})/, ' $1'));
    const [only] = parsed.ok ? parsed.node.body : [];
    const by = only?.type === 'ImportDeclaration' ? importedAs(only) : undefined;
    if (by === undefined || by.length > statement.length) return before + plain;
    return before + by + blank(statement.slice(by.length));
  });
}

function replacementsIn(node: AnyNode): readonly Replacement[] {
  // Only in a list of statements: behind `if (…)`, the next statement would take the place of a removed one.
  if (node.type === 'Program' || node.type === 'BlockStatement')
    return node.body.flatMap(statement => {
      if (statement.type === 'ExportNamedDeclaration') return exportedAs(statement);
      const by = statement.type === 'ImportDeclaration' ? importedAs(statement) : dynamic(statement);
      return by === undefined ? [] : [{ start: statement.start, end: statement.end, by }];
    });
  return isSdkCall(node) ? [{ start: node.start, end: node.end, by: ANY_SDK }] : [];
}

/** Removes `export` before a declaration, and whole `export { names }` statements, which have no effect here. */
function exportedAs({ start, end, declaration, source }: ExportNamedDeclaration): Replacement[] {
  if (declaration) return [{ start, end: declaration.start, by: '' }];
  return source ? [] : [{ start, end, by: ';' }];
}

type Specifier = ImportDeclaration['specifiers'][number];

/** The statement that replaces an import; undefined if the module is unknown. */
function importedAs({ source, specifiers }: ImportDeclaration): string | undefined {
  const module = String(source.value);
  if (DOTENV.test(module)) return specifiers.length === 0 ? ';' : dotenvAs(specifiers[0]);
  const there = BUILT_IN[module.replace(/^node:/, '')];
  if (isSdk(module)) return declared(specifiers, inSdk);
  // For an import of a whole module, the local name decides what is meant.
  const inModule = (each: Specifier) => there?.[importedName(each) ?? each.local.name];
  return there === undefined || specifiers.length === 0 ? undefined : declared(specifiers, inModule);
}

function inSdk(specifier: Specifier): string {
  if (specifier.type === 'ImportNamespaceSpecifier') return SDK_GLOBAL;
  const name = specifier.type === 'ImportDefaultSpecifier' ? 'default' : (importedName(specifier) ?? '');
  return name === 'default' || name === 'CodeInterpreter' ? 'Sandbox' : name;
}

const importedName = (specifier: Specifier): string | undefined =>
  specifier.type === 'ImportSpecifier' ? nameOf(specifier.imported) : undefined;

/** Declares the names that differ from the guest's; undefined if it lacks one. The semicolon separates the lines. */
function declared(specifiers: readonly Specifier[], meaning: (each: Specifier) => string | undefined) {
  const meant = specifiers.map(each => [each.local.name, meaning(each)] as const);
  if (meant.some(([, own]) => own === undefined)) return undefined;
  const aliases = meant.flatMap(([name, own]) => (own === name ? [] : [`${name}=${own}`]));
  return aliases.length === 0 ? ';' : `const ${aliases.join()};`;
}

function dotenvAs(specifier: Specifier | undefined): string | undefined {
  if (specifier === undefined) return undefined;
  const { name } = specifier.local;
  return specifier.type === 'ImportSpecifier' ? `const ${name}=()=>({});` : `const ${name}={config(){}};`;
}

/** The replacement for `const { Sandbox } = require('…')` and `require('dotenv').config()`. */
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

/** Whether the node is `require('…')` or `await import('…')` of the SDK. */
function isSdkCall(node: AnyNode): boolean {
  if (node.type === 'AwaitExpression' && node.argument.type === 'ImportExpression') {
    const { source } = node.argument;
    return source.type === 'Literal' && isSdk(String(source.value));
  }
  return isSdk(requiredBy(node) ?? '');
}

function requiredBy(node: AnyNode): string | undefined {
  if (node.type !== 'CallExpression' || nameOf(node.callee) !== 'require' || node.arguments.length !== 1)
    return undefined;
  const [module] = node.arguments;
  return module?.type === 'Literal' && typeof module.value === 'string' ? module.value : undefined;
}

/** Whether a pattern like `{ Sandbox, FileType }` renames nothing, so that the globals can be used directly. */
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
