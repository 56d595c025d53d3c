// Finds files of the build, from the sources (tests, benches) and from the build itself, whichever chunk this lands in.
import { existsSync } from 'node:fs';

/** The folder that holds package.json, dist/ and openapi/. */
export const PACKAGE_ROOT: URL = findPackageRoot(new URL('./', import.meta.url));

/** @param path in dist/: worker threads and what runs inside guests is always run from the build */
export const builtFile = (path: string): URL => new URL(`dist/${path}`, PACKAGE_ROOT);

function findPackageRoot(folder: URL): URL {
  if (existsSync(new URL('package.json', folder))) return folder;
  const parent = new URL('../', folder);
  if (parent.href === folder.href) throw new Error('package.json was not found above the program');
  return findPackageRoot(parent);
}
