// The command that starts the runner. It is sent together with the upload, so the script first waits until the file is
// complete. The script is one shell word in single quotes, so it must not contain a single quote.
import { EXIT, FILES } from './wire.ts';

/** Ends the wait for a file that never comes; the engine has given up long before. */
const MAX_WAIT_MS = 120_000;

const SCRIPT = `
const fs = require("fs"), [, folder, bytes] = process.argv, file = folder + "/${FILES.run}";
if (parseInt(process.versions.node) < 18) process.exit(${EXIT.oldNode});
const until = Date.now() + ${MAX_WAIT_MS};
const whole = () => { try { return fs.statSync(file).size === Number(bytes) } catch { return false } };
(function wait() {
  if (!whole()) return Date.now() < until && setTimeout(wait, 2);
  const run = JSON.parse(fs.readFileSync(file, "utf8"));
  new Function("require", "codeModeRun", run.pack.runner)(require, { ...run, folder });
})();`
  .replace(/\n\s*/g, ' ')
  .trim();

/**
 * `folder` is an absolute path in the sandbox that needs no quoting. The flag for modules lets the runner handle
 * `import()`. There is no flag for the size of the heap, because with one V8 does not use Node's compiled code and starts
 * 20 % slower; runner/watch.ts limits the memory instead.
 */
export function startCommand(folder: string, fileBytes: number): string {
  const flags = `--experimental-vm-modules --no-warnings`;
  return `exec node ${flags} -e '${SCRIPT}' ${folder} ${fileBytes}`;
}
