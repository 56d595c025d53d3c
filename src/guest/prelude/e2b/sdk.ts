// How agents' code names E2B's own tools from habit.

/** What these modules export is global in the guest. */
export const SDK_MODULES: readonly string[] = [
  'e2b',
  '@e2b/code-interpreter',
  // Not what they are called, and meant all the same.
  'e2b/code-interpreter',
  'e2b-code-interpreter',
  '@e2b/sdk',
];

/** The command line tool. */
export const CLI = 'e2b';

/** The guest's global that holds all of them, see public.ts. */
export const SDK_GLOBAL = 'e2b';

/** The SDK of desktops, which is not offered. */
export const DESKTOP_MODULE = '@e2b/desktop';

/** Modules whose names are most likely global here. */
export const LIKELY_SDK = /e2b|^\./;
