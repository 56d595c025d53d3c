// The command that starts the runner. It goes off together with the upload, so what it starts first waits for the files
// to be whole. One shell word: no single quote may stand in the script, and no path of the sandbox either.
import { EXIT, FILES } from './wire.ts';

const SCRIPT = `
const fs = require("fs"), zlib = require("zlib"), [, folder, packBytes, jobBytes] = process.argv;
if (parseInt(process.versions.node) < 18) process.exit(${EXIT.oldNode});
const whole = (name, bytes) => { try { return fs.statSync(folder + "/" + name).size === Number(bytes) } catch { return false } };
(function wait() {
  if (!whole("${FILES.pack}", packBytes) || !whole("${FILES.job}", jobBytes)) return setTimeout(wait, 2);
  const pack = JSON.parse(zlib.gunzipSync(fs.readFileSync(folder + "/${FILES.pack}")).toString("utf8"));
  new Function("require", "codeModeRun", pack.runner)(require, { pack, folder });
})();`
  .replace(/\n\s*/g, ' ')
  .trim();

/** `folder` is an absolute path of the sandbox that needs no quoting. `import()` needs the flag to be answered by us. */
export function startCommand(folder: string, packBytes: number, jobBytes: number): string {
  return `exec node --experimental-vm-modules --no-warnings -e '${SCRIPT}' ${folder} ${packBytes} ${jobBytes}`;
}
