// E2B's command line from npm, in a folder of its own that is kept between runs; or why there is none.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const VERSION = '2.19.0';
const FOLDER = new URL(`../../node_modules/.cache/e2b-cli-${VERSION}`, import.meta.url).pathname;
const PROGRAM = join(FOLDER, 'node_modules/@e2b/cli/dist/index.js');

/** Not a dependency of the project: with its own it is larger than everything else that is installed. */
export async function commandLine(): Promise<{ program: string } | { reason: string }> {
  if (existsSync(PROGRAM)) return { program: PROGRAM };
  try {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(join(FOLDER, 'package.json'), '{ "private": true }');
    await promisify(execFile)('npm', ['install', '--no-audit', '--no-fund', `@e2b/cli@${VERSION}`], { cwd: FOLDER });
    return { program: PROGRAM };
  } catch (caught) {
    rmSync(FOLDER, { recursive: true, force: true });
    const message = caught instanceof Error ? caught.message : String(caught);
    return { reason: `@e2b/cli could not be installed: ${message.trim().split('\n').at(-1)}` };
  }
}
