// Recognises the API's SDK by its module names, and explains why other modules cannot be imported. Pure.
import type { Surface } from '../../engine/engine.ts';
import { insteadOf, insteadOfModule } from '../absent.ts';
import { LIKELY_SDK, SDK_MODULES } from '../prelude/e2b/sdk.ts';

const PREFIX = /^(?:npm:|https:\/\/[\w.-]+\/(?:npm\/)?|\.{1,2}\/)/;
const VERSION = /(.)@[\w.^~*-]+$/;

/** Also recognises the SDK in a URL, with a version, and as a file of that name. */
export const isSdk = (module: string): boolean =>
  SDK_MODULES.includes(module.replace(PREFIX, '').replace(VERSION, '$1'));

const BUILT_IN = /^(?:node:)?(?:buffer|console|crypto|perf_hooks|timers|url|util)$/;

/** Why `module` cannot be imported. `names`: the imported names. `known`: those of them that are globals. */
export function refusedImport(
  module: string,
  names: readonly string[],
  known: readonly string[],
  surface: Surface,
): string {
  const name = BUILT_IN.test(module) ? names.find(each => insteadOf(each, surface) !== undefined) : undefined;
  const instead = name === undefined ? insteadOfModule(module, surface) : insteadOf(name, surface);
  if (instead !== undefined) return `There is no module ${module} here. ${instead}`;
  const isLikely = known.includes('Sandbox') || [BUILT_IN, LIKELY_SDK].some(pattern => pattern.test(module));
  if (known.length > 0 && known.length === names.length && isLikely)
    return `${known.join(', ')} is a global already: delete this line`;
  const nothing = `There is no module ${module} here, only JavaScript itself`;
  return surface === 'search'
    ? `${nothing}: write it out`
    : `${nothing}: write it out, or run it in a sandbox with sbx.commands.run and sbx.runCode`;
}
