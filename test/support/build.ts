// Builds dist/ before the suite. Types are checked by `pnpm check`, not here.
import { spawnSync } from 'node:child_process';

export default function build(): void {
  const built = spawnSync('npm', ['run', '--silent', 'build'], { encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`the build failed:\n${built.stdout}${built.stderr}`);
}
