// The command that starts the runner. It goes off together with the upload, so what it starts first waits for the file to
// be whole. One shell word: the script may hold no single quote, and no path of the sandbox either.
import { EXIT, FILES } from './wire.ts';

/** For a file that never comes: the engine has given up long before. */
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
 * `folder` is an absolute path of the sandbox that needs no quoting. `import()` needs the modules' flag to be
 * answered by us. No flag bounds the heap, the watch does (runner/watch.ts): with one, V8 puts aside the compiled code
 * that comes with Node, and starts by a fifth slower.
 */
export function startCommand(folder: string, fileBytes: number): string {
  const flags = `--experimental-vm-modules --no-warnings`;
  return `exec node ${flags} -e '${SCRIPT}' ${folder} ${fileBytes}`;
}
