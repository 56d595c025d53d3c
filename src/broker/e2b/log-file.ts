// Wraps a background command so that its output is also written to a file in the sandbox, which a later call can read,
// and unwraps it again. Pure.

/** Maximum size of a log file (16 MB), in the unit of `ulimit -f`. Further output is streamed but not written. */
const MAX_LOG_KB = 16_384;
/** Linux accepts 128 kB in one argument. */
const MAX_ARGUMENT_BYTES = 120_000;

const copyTo = (logPath: string, more = '') =>
  `>(trap '' XFSZ; ulimit -f ${MAX_LOG_KB}; exec tee -a ${logPath}${more})`;

/** A second shell replaces the first and keeps its pid: in one shell, a plain `wait` would wait for tee as well. */
const before = (logPath: string) =>
  `command -v tee >/dev/null && exec > ${copyTo(logPath)} 2> ${copyTo(logPath, ' >&2')}; exec /bin/bash -l -c `;

const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
const unquote = (text: string) => text.slice(1, -1).replaceAll(`'\\''`, "'");

export type LoggedCommand = { readonly cmd: string; readonly logPath?: string };

/** `id` must be unique. A command that would become too long for Linux is not wrapped and has no log. */
export function withLogFile(cmd: string, id: string): LoggedCommand {
  const logPath = `/tmp/e2b-${id}.log`;
  const logged = before(logPath) + quote(cmd);
  return Buffer.byteLength(logged) > MAX_ARGUMENT_BYTES ? { cmd } : { cmd: logged, logPath };
}

/** Returns the original command and its log file. */
export function withoutLogFile(cmd: string): LoggedCommand {
  const logPath = /^command -v tee [^;]*; .*?exec tee -a (\/tmp\/e2b-[\w-]{1,64}\.log)\)/.exec(cmd)?.[1];
  if (logPath === undefined || !cmd.startsWith(before(logPath))) return { cmd };
  return { cmd: unquote(cmd.slice(before(logPath).length)), logPath };
}
