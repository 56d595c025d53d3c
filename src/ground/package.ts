// Name and version of this package.
import { readFileSync } from 'node:fs';
import { PACKAGE_ROOT } from './built.ts';

export const PACKAGE = JSON.parse(readFileSync(new URL('package.json', PACKAGE_ROOT), 'utf8')) as {
  readonly name: string;
  readonly version: string;
};
