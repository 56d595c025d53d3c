// TypeScript as JavaScript: types taken out, the rest kept in its place. Runs in an interpreter's worker only: swc takes
// exponential time on some inputs.
import { transformSync } from '@swc/wasm-typescript';

export function stripTypes(code: string): { code: string } | { error: string } {
  try {
    return { code: transformSync(code, { mode: 'strip-only', module: true }).code };
  } catch (caught) {
    const message =
      typeof caught === 'object' && caught !== null && 'message' in caught ? String(caught.message) : String(caught);
    return { error: message };
  }
}
