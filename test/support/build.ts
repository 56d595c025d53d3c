// Builds dist/ before the suite, and the engine images that most engine tests use, unless they were
// already built from the current files. Types are checked by `pnpm check`, not here.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeImages } from '../../src/engine/quickjs/images.ts';
import { DESCRIPTION } from '../contract/description.ts';

/** The inputs of a build. The lockfile represents the packages. */
const FOLDERS = ['src', 'local', 'web', 'openapi'];
const FILES = [
  'build.mjs',
  'third-party.mjs',
  'package.json',
  'pnpm-lock.yaml',
  'tsconfig.json',
  'test/contract/description.ts',
];
/** Describes the last build made here. */
const STAMP = 'node_modules/.cache/test-build';

/** Called once for each project of a run: the first call builds. */
export default function build(): void {
  const sources = digest([...FILES, ...FOLDERS.flatMap(filesIn)]);
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === stampOf(sources)) return;
  const built = spawnSync('npm', ['run', '--silent', 'build'], { encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`the build failed:\n${built.stdout}${built.stderr}`);
  makeImages(DESCRIPTION);
  mkdirSync('node_modules/.cache', { recursive: true });
  writeFileSync(STAMP, stampOf(sources));
}

/** Includes the time of the build, because a later `node build.mjs` may have used other files. */
function stampOf(sources: string): string {
  return `${sources} ${process.version} ${statSync('dist/main.js', { throwIfNoEntry: false })?.mtimeMs}`;
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .sort();
}

function digest(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file}\0`).update(readFileSync(file)).update('\0');
  return hash.digest('hex');
}
