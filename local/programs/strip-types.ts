// TypeScript as JavaScript: types taken out, the rest kept in its place. Runs in an interpreter's worker only: swc takes
// exponential time on some inputs.
import { transformSync } from '@swc/wasm-typescript';

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
