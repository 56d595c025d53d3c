// The command that starts the runner. It goes off together with the upload, so what it starts first waits for the file to
// be whole. One shell word: no single quote may stand in the script, and no path of the sandbox either.
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

/** The heap of Node and the prelude, beside the guest's. */
const OWN_HEAP_MB = 8;

/**
 * `folder` is an absolute path of the sandbox that needs no quoting. V8 ends the process when the guest fills its heap;
 * `import()` needs the modules' flag to be answered by us.
 */
export function startCommand(folder: string, memoryBytes: number, fileBytes: number): string {
  const heapMb = OWN_HEAP_MB + Math.ceil(memoryBytes / 1_048_576);
  const flags = `--max-old-space-size=${heapMb} --max-semi-space-size=8 --experimental-vm-modules --no-warnings`;
  return `exec node ${flags} -e '${SCRIPT}' ${folder} ${fileBytes}`;
}
