// For each form of code that agents write, the edits that turn it into one expression. Edits insert text or replace it by
// spaces, and never change line numbers. Pure.
import type {
  AnyNode,
  ExportDefaultDeclaration,
  Expression,
  ModuleDeclaration,
  Pattern,
  Program,
  Statement,
} from 'acorn';
import type { Surface } from '../../engine/engine.ts';
import { GatewayError } from '../../errors.ts';
import { GLOBALS } from '../globals.ts';
import { refusedImport } from './modules.ts';
import { type FunctionNode, isFunction, nodesOf, Refused } from './syntax.ts';

/** Replaces `start` to `end` by `text`. */
export type Edit = { readonly start: number; readonly end: number; readonly text: string };

export const insert = (at: number, text: string): Edit => ({ start: at, end: at, text });
const blank = (text: string, start: number, end: number): Edit => ({
  start,
  end,
  text: text.slice(start, end).replace(/[^\n]/g, ' '),
});

const RESULT = '(v => typeof v === "function" ? v() : v)((';

/** A function is used as it is. Any other expression is wrapped in one, so that its errors are reported like others. */
export function shapeOfExpression(text: string, expression: Expression, semicolons: readonly number[]): Edit[] {
  const edits = [...semicolons.map(at => blank(text, at, at + 1)), ...editsOfCallee(text, expression)];
  if (!isFunction(expression)) edits.push(insert(0, `async () => ${RESULT}`), insert(text.length, '\n))'));
  return inOrder(edits);
}

/** @throws Refused for modules, and for functions that cannot be called without arguments */
export function shapeOfProgram(text: string, program: Program, surface: Surface): Edit[] {
  for (const statement of program.body) refuseModules(statement, surface);
  const statements = program.body.filter(statement => statement.type !== 'EmptyStatement');
  const [only] = statements;
  if (only === undefined) throw new GatewayError('code_invalid');
  if (statements.length === 1) {
    const empty = program.body.filter(statement => statement !== only).map(({ start }) => start);
    const single = shapeOfSingle(text, only, empty);
    if (single !== undefined) return single;
  }
  return inOrder([insert(0, 'async () => {'), ...returnOfBody(text, program, statements)]);
}

/** For a program of one statement that is, or contains, one expression; undefined for other statements. */
function shapeOfSingle(text: string, statement: Program['body'][number], empty: number[]): Edit[] | undefined {
  const semicolons = text[statement.end - 1] === ';' ? [...empty, statement.end - 1] : empty;
  if (statement.type === 'ExpressionStatement') return shapeOfExpression(text, statement.expression, semicolons);
  const blanks = semicolons.map(at => blank(text, at, at + 1));
  if (statement.type === 'FunctionDeclaration') return inOrder([...blanks, ...editsOfCallee(text, statement)]);
  if (statement.type !== 'ExportDefaultDeclaration' || awaitsOutside(statement)) return undefined;
  const keywords = blank(text, statement.start, defaultEnd(text, statement));
  return inOrder([...blanks, keywords, ...editsOfCallee(text, statement.declaration)]);
}

/** Makes several statements return a result: of the default export, the last function, or else the last expression. */
function returnOfBody(text: string, program: Program, statements: readonly Program['body'][number][]): Edit[] {
  const end = text.length;
  const exported = statements.find(statement => statement.type === 'ExportDefaultDeclaration');
  if (exported !== undefined) return returnOfExport(text, exported);
  const last = statements.at(-1);
  const named = namedFunction(last);
  if (named !== undefined && !isUsed(program, named.name, last) && !returnsOutside(program)) {
    return [...editsOfCallee(text, named.callee), insert(end, `\nreturn ${named.name}()}`)];
  }
  // Function declarations behind the last expression are hoisted, so a return before them changes nothing.
  const yielding = statements.findLast(statement => statement.type !== 'FunctionDeclaration');
  if (yielding?.type !== 'ExpressionStatement') return [insert(end, '\n}')];
  const close = text[yielding.end - 1] === ';' ? yielding.end - 1 : yielding.end;
  return [
    insert(yielding.start, `return ${RESULT}`),
    ...editsOfCallee(text, yielding.expression),
    insert(close, '))'),
    insert(end, '\n}'),
  ];
}

function returnOfExport(text: string, exported: ExportDefaultDeclaration): Edit[] {
  const { declaration } = exported;
  const end = text.length;
  const callee = editsOfCallee(text, declaration);
  const keywordsEnd = defaultEnd(text, exported);
  if (declaration.type === 'FunctionDeclaration' && declaration.id) {
    // It stays a declaration, so that it is hoisted and other code can use its name.
    const name = declaration.id.name;
    return [blank(text, exported.start, keywordsEnd), ...callee, insert(end, `\nreturn ${name}()}`)];
  }
  const name =
    ['$main', ...Array.from({ length: 100 }, (_, n) => `$m_${String(n).padStart(2, '0')}`)].find(
      free => !text.includes(free),
    ) ?? '$main';
  return [
    { start: exported.start, end: exported.start + 'export'.length, text: 'const ' },
    { start: keywordsEnd - 'default'.length, end: keywordsEnd, text: `${name} =` },
    ...callee,
    ...(text[exported.end - 1] === ';' ? [] : [insert(exported.end, ';')]),
    insert(end, `\nreturn typeof ${name} === "function" ? ${name}() : ${name}}`),
  ];
}

const defaultEnd = (text: string, exported: ExportDefaultDeclaration): number =>
  text.indexOf('default', exported.start) + 'default'.length;

/** `function main() {}` or `const main = async () => {}`. */
function namedFunction(
  statement: Statement | ModuleDeclaration | undefined,
): { name: string; callee: FunctionNode } | undefined {
  if (statement?.type === 'FunctionDeclaration') return { name: statement.id.name, callee: statement };
  if (statement?.type !== 'VariableDeclaration') return undefined;
  const declared = statement.declarations.at(-1);
  if (declared?.id.type !== 'Identifier' || !isFunction(declared.init)) return undefined;
  return { name: declared.id.name, callee: declared.init };
}

function isUsed(program: Program, name: string, except: AnyNode | undefined): boolean {
  for (const { node } of nodesOf(program)) {
    if (node.type !== 'Identifier' || node.name !== name) continue;
    if (except === undefined || node.start < except.start || node.end > except.end) return true;
  }
  return false;
}

function returnsOutside(program: Program): boolean {
  for (const { node, inFunction } of nodesOf(program)) if (!inFunction && node.type === 'ReturnStatement') return true;
  return false;
}

function awaitsOutside(root: AnyNode): boolean {
  for (const { node, inFunction } of nodesOf(root)) {
    if (!inFunction && (node.type === 'AwaitExpression' || (node.type === 'ForOfStatement' && node.await))) return true;
  }
  return false;
}

// The function that is called.

const NAMES = new Set(Object.values(GLOBALS).flat());

const isGlobal = (pattern: Pattern): boolean =>
  (pattern.type === 'Identifier' && NAMES.has(pattern.name)) ||
  (pattern.type === 'ObjectPattern' &&
    pattern.properties.length > 0 &&
    pattern.properties.every(
      property =>
        property.type === 'Property' &&
        property.shorthand &&
        property.value.type === 'Identifier' &&
        NAMES.has(property.value.name),
    ));

/**
 * The function is called without arguments. Parameters that only name globals (`async ({ api }) => …`) are removed, so
 * that the names mean the globals; other parameters that are destructured are refused.
 */
function editsOfCallee(text: string, node: AnyNode): Edit[] {
  if (!isFunction(node)) return [];
  if (node.generator)
    throw new Refused('code_invalid', {
      message: 'A generator function is not run. Write async () => { … }',
      offset: node.start,
    });
  const [first] = node.params;
  const last = node.params.at(-1);
  if (first === undefined || last === undefined) return [];
  if (node.params.every(isGlobal)) {
    const after = /^\s*,/.exec(text.slice(last.end))?.[0].length ?? 0;
    const bare = node.type === 'ArrowFunctionExpression' && /^\s*=>/.test(text.slice(last.end));
    if (bare) return [{ start: first.start, end: first.end, text: '()'.padEnd(first.end - first.start) }];
    return [blank(text, first.start, last.end + after)];
  }
  const destructured = node.params.find(param => param.type === 'ObjectPattern' || param.type === 'ArrayPattern');
  if (destructured === undefined) return [];
  throw new Refused('code_invalid', {
    message: 'The function is called without arguments: what there is, is global. Write async () => { … }',
    offset: destructured.start,
  });
}

// Modules.

function refuseModules(statement: Program['body'][number], surface: Surface): void {
  if (statement.type === 'ImportDeclaration') {
    const names = statement.specifiers.map(specifier => specifier.local.name);
    const message = refusedImport(
      String(statement.source.value),
      names,
      names.filter(name => NAMES.has(name)),
      surface,
    );
    throw new Refused('code_syntax', { message, offset: statement.start });
  }
  if (statement.type === 'ExportNamedDeclaration' || statement.type === 'ExportAllDeclaration') {
    throw new Refused('code_syntax', {
      message: 'Only `export default` is accepted: delete `export`, or send just async () => { … }',
      offset: statement.start,
    });
  }
}

/** Sorts edits by place. At the same place insertions come before replacements, and otherwise the given order is kept. */
export const inOrder = (edits: Edit[]): Edit[] =>
  edits.sort((one, other) => one.start - other.start || one.end - other.end);
