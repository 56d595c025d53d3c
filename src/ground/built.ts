// Finds files of the build. Works from the sources (tests, benchmarks) and from any chunk of the build itself.
import { existsSync } from 'node:fs';

/** The folder with package.json, dist/ and openapi/. */
export const PACKAGE_ROOT: URL = findPackageRoot(new URL('./', import.meta.url));

/** @param path in dist/. Worker threads and guest scripts always run from the build. */
export const builtFile = (path: string): URL => new URL(`dist/${path}`, PACKAGE_ROOT);

function findPackageRoot(folder: URL): URL {
  if (existsSync(new URL('package.json', folder))) return folder;
  const parent = new URL('../', folder);
  if (parent.href === folder.href) throw new Error('package.json was not found above the program');
  return findPackageRoot(parent);
}
