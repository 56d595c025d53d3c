// What a piece of JavaScript is, TypeScript as JavaScript, and cells made to run in one scope: imports become awaited
// constants. Runs in an interpreter's worker only: swc takes exponential time on some inputs. Pure.
import { transformSync } from '@swc/wasm-typescript';
import { type Program, parse } from 'acorn';

function parsed(code: string, sourceType: 'module' | 'script' = 'module'): Program | undefined {
  const isModule = sourceType === 'module';
  try {
    return parse(code, {
      ecmaVersion: 'latest',
      sourceType,
      allowAwaitOutsideFunction: isModule,
      allowReturnOutsideFunction: true,
    });
  } catch {
    return undefined;
  }
}

export function isJavaScript(code: string): boolean {
  return parsed(code) !== undefined;
}

/** As Node tells: what only a module may do at its top is an error in a script. */
export function isModule(code: string): boolean {
  return parsed(code, 'script') === undefined && parsed(code) !== undefined;
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

type Stripped = { code: string } | { error: string };

/** Enums, namespaces and the like need more than types taken out: those move the lines. */
export function stripTypes(code: string): Stripped {
  const stripped = transform(code, 'strip-only');
  return 'code' in stripped ? stripped : transform(code, 'transform');
}

function transform(code: string, mode: 'strip-only' | 'transform'): Stripped {
  try {
    return { code: transformSync(code, { mode, module: true }).code };
  } catch (caught) {
    const message =
      typeof caught === 'object' && caught !== null && 'message' in caught ? String(caught.message) : String(caught);
    return { error: message };
  }
}
