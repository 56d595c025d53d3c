// What a piece of JavaScript is, and cells made to run in one scope: imports become awaited constants. Pure.
import { type Node, type Program, parse } from 'acorn';

function parsed(code: string): Program | undefined {
  try {
    return parse(code, {
      ecmaVersion: 'latest',
      sourceType: 'module',
      allowAwaitOutsideFunction: true,
      allowReturnOutsideFunction: true,
    });
  } catch {
    return undefined;
  }
}

export function isJavaScript(code: string): boolean {
  return parsed(code) !== undefined;
}

/** It imports, exports or awaits at its top. */
export function isModule(code: string): boolean {
  const program = parsed(code);
  if (program === undefined) return false;
  if (program.body.some(({ type }) => /^(Import|Export).*Declaration$/.test(type))) return true;
  return /\bawait\b/.test(code) && !/\brequire\s*\(/.test(code) && awaitsAtTop(program);
}

function awaitsAtTop(node: Node): boolean {
  if (/Function/.test(node.type)) return false;
  if (node.type === 'AwaitExpression' || (node.type === 'ForOfStatement' && 'await' in node && node.await === true))
    return true;
  return Object.values(node).some(child =>
    (Array.isArray(child) ? child : [child]).some(item => isNode(item) && awaitsAtTop(item)),
  );
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

/** Lines stay where they are. */
export function importsAsAwaits(code: string): string {
  const declarations = parsed(code)?.body.flatMap(node => (node.type === 'ImportDeclaration' ? [node] : [])) ?? [];
  return declarations.reduceRight((text, node) => {
    const from = `await import(${node.source.raw ?? JSON.stringify(node.source.value)})`;
    const names = node.specifiers.map(specifier => {
      if (specifier.type === 'ImportNamespaceSpecifier') return `${specifier.local.name} = ${from}`;
      if (specifier.type === 'ImportDefaultSpecifier') return `${specifier.local.name} = (${from}).default`;
      const imported =
        specifier.imported.type === 'Identifier' ? specifier.imported.name : String(specifier.imported.value);
      return `${specifier.local.name} = (${from}).${imported}`;
    });
    const lines = text.slice(node.start, node.end).replace(/[^\n]/g, '');
    return (
      text.slice(0, node.start) +
      (names.length === 0 ? from : `var ${names.join(', ')}`) +
      ';' +
      lines +
      text.slice(node.end)
    );
  }, code);
}
