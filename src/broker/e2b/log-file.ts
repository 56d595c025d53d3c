// A file in the sandbox that gets a background command's output as well, so that a later call can read it. Pure: the
// command as it is sent, and back again.

/** Of one file, in the units of `ulimit -f`: 16 MB. What comes after still streams. */
const MAX_LOG_KB = 16_384;
/** Linux takes 128 kB in one argument. */
const MAX_ARGUMENT_BYTES = 120_000;

const copyTo = (logPath: string, more = '') =>
  `>(trap '' XFSZ; ulimit -f ${MAX_LOG_KB}; exec tee -a ${logPath}${more})`;

/** A second shell in the place of the first, with the same pid: in one shell, a plain `wait` would wait for tee too. */
const before = (logPath: string) =>
  `command -v tee >/dev/null && exec > ${copyTo(logPath)} 2> ${copyTo(logPath, ' >&2')}; exec /bin/bash -l -c `;

const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
const unquote = (text: string) => text.slice(1, -1).replaceAll(`'\\''`, "'");

export type LoggedCommand = { readonly cmd: string; readonly logPath?: string };

/** `id`: unique. A command that would become too long for Linux is sent as it is, without a log. */
export function withLogFile(cmd: string, id: string): LoggedCommand {
  const logPath = `/tmp/e2b-${id}.log`;
  const logged = before(logPath) + quote(cmd);
  return Buffer.byteLength(logged) > MAX_ARGUMENT_BYTES ? { cmd } : { cmd: logged, logPath };
}

/** The command as it was asked for, and its log. */
export function withoutLogFile(cmd: string): LoggedCommand {
  const logPath = /^command -v tee [^;]*; .*?exec tee -a (\/tmp\/e2b-[\w-]{1,64}\.log)\)/.exec(cmd)?.[1];
  if (logPath === undefined || !cmd.startsWith(before(logPath))) return { cmd };
  return { cmd: unquote(cmd.slice(before(logPath).length)), logPath };
}
