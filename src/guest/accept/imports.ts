// Imports of what is global already: the API's SDK as its own examples begin, and a few of Node's modules. Each becomes what
// it means here, in the same place and of the same length. Pure.
import type { AnyNode, ExportNamedDeclaration, ImportDeclaration } from 'acorn';
import { SDK_GLOBAL } from '../prelude/e2b/sdk.ts';
import { isSdk } from './modules.ts';
import { nodesOf, parseText } from './syntax.ts';

const ANY_SDK = `globalThis.${SDK_GLOBAL}`;

/** Of Node's modules, what the guest has, by what it is called there. */
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

/** The gateway has the key: reading a .env file does nothing. */
const DOTENV = /^dotenv(?:\/config)?$/;

type Replacement = { readonly start: number; readonly end: number; readonly by: string };

/** `text` without them, every other character in its place; the same text where there are none. */
export function withoutSdkImports(text: string, root: AnyNode): string {
  if (!/\b(?:import|require|export)\b/.test(text)) return text;
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

const STATEMENT = /((?:^|;)[ \t]*)(import\s+(?:type\b)?[^;'"()]*?\bfrom\s*(['"])[^'"\n]+\3[ \t]*;?)/gm;
const TYPE_NAME = /(?<=[{,]\s*)type\s+[\w$]+(?:\s+as\s+[\w$]+)?\s*,?/g;

/** For code with types: imports without the types in them, and what they mean where that is known. */
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
  // Only in a list of statements: behind `if (…)`, what follows would take the place of a blanked one.
  if (node.type === 'Program' || node.type === 'BlockStatement')
    return node.body.flatMap(statement => {
      if (statement.type === 'ExportNamedDeclaration') return exportedAs(statement);
      const by = statement.type === 'ImportDeclaration' ? importedAs(statement) : dynamic(statement);
      return by === undefined ? [] : [{ start: statement.start, end: statement.end, by }];
    });
  return isSdkCall(node) ? [{ start: node.start, end: node.end, by: ANY_SDK }] : [];
}

/** What is exported is declared all the same; lists of names mean nothing here. */
function exportedAs({ start, end, declaration, source }: ExportNamedDeclaration): Replacement[] {
  if (declaration) return [{ start, end: declaration.start, by: '' }];
  return source ? [] : [{ start, end, by: ';' }];
}

/** The statement an import means; undefined for one that means nothing here. */
function importedAs({ source, specifiers }: ImportDeclaration): string | undefined {
  const module = String(source.value);
  if (DOTENV.test(module)) return specifiers.length === 0 ? ';' : dotenvAs(specifiers[0]);
  if (isSdk(module)) return declared(specifiers.flatMap(aliasOf));
  const there = BUILT_IN[module.replace(/^node:/, '')];
  if (there === undefined || specifiers.length === 0) return undefined;
  const meant = specifiers.map(each => [each.local.name, there[importedName(each) ?? each.local.name]] as const);
  if (meant.some(([, own]) => own === undefined)) return undefined;
  return declared(meant.flatMap(([name, own]) => (own === name ? [] : [`${name}=${own}`])));
}

/** undefined for one that stands for a whole module: then its own name says what is meant. */
function importedName(specifier: ImportDeclaration['specifiers'][number]): string | undefined {
  if (specifier.type === 'ImportDefaultSpecifier') return undefined;
  return specifier.type === 'ImportSpecifier' ? nameOf(specifier.imported) : undefined;
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
  const meant = own === 'default' || own === 'CodeInterpreter' ? 'Sandbox' : own;
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
