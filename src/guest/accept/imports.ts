// Imports of what is global already, as E2B's own examples begin: each becomes an empty statement of the same length.
// Pure.
import type { AnyNode } from 'acorn';
import { GLOBALS } from '../globals.ts';
import { SDK_MODULES } from '../prelude/e2b/sdk.ts';
import { nodesOf } from './syntax.ts';

const SDKS: readonly unknown[] = SDK_MODULES;
const NAMES: readonly string[] = GLOBALS.write;

/** `text` without them, every other character in its place; the same text where there are none. */
export function withoutSdkImports(text: string, root: AnyNode): string {
  if (!SDKS.some(name => text.includes(String(name)))) return text;
  let out = text;
  for (const { node } of nodesOf(root)) {
    // Only where statements stand in a row: behind `if (…)`, what follows would take the place of a blanked one.
    if (node.type !== 'Program' && node.type !== 'BlockStatement') continue;
    for (const { start, end } of node.body.filter(isSdkImport)) {
      // The semicolon keeps the lines before and behind apart.
      out = `${out.slice(0, start)};${out.slice(start + 1, end).replace(/[^\n]/g, ' ')}${out.slice(end)}`;
    }
  }
  return out;
}

function isSdkImport(statement: AnyNode): boolean {
  if (statement.type === 'ImportDeclaration') {
    return (
      SDKS.includes(statement.source.value) &&
      statement.specifiers.length > 0 &&
      statement.specifiers.every(
        each =>
          NAMES.includes(each.local.name) &&
          // The SDK's default export is Sandbox.
          (each.type === 'ImportDefaultSpecifier'
            ? each.local.name === 'Sandbox'
            : each.type === 'ImportSpecifier' && nameOf(each.imported) === each.local.name),
      )
    );
  }
  return (
    statement.type === 'VariableDeclaration' &&
    statement.declarations.every(({ id, init }) => init && isSdkCall(init) && picksGlobals(id))
  );
}

/** `require('e2b')` or `await import('e2b')`. */
function isSdkCall(node: AnyNode): boolean {
  if (node.type === 'AwaitExpression' && node.argument.type === 'ImportExpression') {
    const { source } = node.argument;
    return source.type === 'Literal' && SDKS.includes(source.value);
  }
  if (node.type !== 'CallExpression' || nameOf(node.callee) !== 'require' || node.arguments.length !== 1) return false;
  const [module] = node.arguments;
  return module?.type === 'Literal' && SDKS.includes(module.value);
}

/** `{ Sandbox }`, nothing renamed and nothing else. */
function picksGlobals(pattern: AnyNode): boolean {
  return (
    pattern.type === 'ObjectPattern' &&
    pattern.properties.length > 0 &&
    pattern.properties.every(
      property => property.type === 'Property' && property.shorthand && NAMES.includes(nameOf(property.value) ?? ''),
    )
  );
}

const nameOf = (node: AnyNode): string | undefined => (node.type === 'Identifier' ? node.name : undefined);
