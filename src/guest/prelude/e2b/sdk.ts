// The names of E2B's packages and tools, as they appear in agents' code.

/** The exports of these modules are globals in the guest. */
export const SDK_MODULES: readonly string[] = [
  'e2b',
  '@e2b/code-interpreter',
  // Wrong names that models use for the same modules.
  'e2b/code-interpreter',
  'e2b-code-interpreter',
  '@e2b/sdk',
];

/** The command line tool. */
export const CLI = 'e2b';

/** The guest's global that holds all exports of the SDK, see public.ts. */
export const SDK_GLOBAL = 'e2b';

/** The SDK for desktop sandboxes, which is not offered. */
export const DESKTOP_MODULE = '@e2b/desktop';

/** Modules that are probably the SDK or a copy of it. */
export const LIKELY_SDK = /e2b|^\./;
