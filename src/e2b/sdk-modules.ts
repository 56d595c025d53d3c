// The CommonJS modules that sdk.ts connects: E2B's SDK and the openapi-fetch that it uses. build.mjs replaces this file
// by a bundle of the two; sdk.ts checks that they belong together.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

export const openapiFetchModule: unknown = createRequire(require.resolve('e2b'))('openapi-fetch');
export const sdkModule: unknown = require('@e2b/code-interpreter');
