// A Python with the official SDKs, in a virtual environment of its own that is kept between runs; or why there is none.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const REQUIREMENTS = new URL('requirements.txt', import.meta.url).pathname;
const CACHE = new URL('../../node_modules/.cache', import.meta.url).pathname;
const OLDEST_MINOR = 11;

export async function pythonWithSdks(): Promise<{ python: string } | { reason: string }> {
  const name = `python-${createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 12)}`;
  const folder = join(CACHE, name);
  const python = join(folder, 'bin', 'python');
  if (existsSync(python)) return { python };
  const found = await run('python3', ['-c', 'import sys; print(sys.version_info[1])']).catch(() => undefined);
  if (found === undefined) return { reason: 'there is no python3 on this machine' };
  if (Number(found.stdout) < OLDEST_MINOR) return { reason: `the SDKs need Python 3.${OLDEST_MINOR} or newer` };
  try {
    rmSync(folder, { recursive: true, force: true });
    await run('python3', ['-m', 'venv', folder]);
    await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', REQUIREMENTS]);
    return { python };
  } catch (caught) {
    // A half-made one would pass for a whole one the next time.
    if (existsSync(folder)) renameSync(folder, `${folder}-failed`);
    rmSync(`${folder}-failed`, { recursive: true, force: true });
    const message = caught instanceof Error ? caught.message : String(caught);
    return { reason: `the SDKs could not be installed: ${message.trim().split('\n').at(-1)}` };
  }
}
