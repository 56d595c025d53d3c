// Commands that read the process's live input: just-bash gives a command its whole input at once, so a live one is
// stood for by a mark; `cat` passes on what comes as it comes, the others get everything once it has ended. And bytes
// as such: printf and echo -e with escapes above 7f, endless devices, dd, truncate.
import { randomBytes } from 'node:crypto';
import { type Command, defineCommand, type ExecResult, latin1FromBytes, type ResolvedCommandContext } from 'just-bash';
import { quote, type Session } from '../session.ts';
import { bytes, execute, failed, isLive, optionsOf, original, streaming, text } from './running.ts';

/** By how many operands a command takes before files: with a file it does not read its input. */
const READERS: readonly (readonly [operands: number, names: string])[] = [
  [0, 'wc sort uniq head tail tac rev nl base64 md5sum sha1sum sha256sum gzip gunzip od cut'],
  [1, 'grep sed awk jq'],
  [Number.POSITIVE_INFINITY, 'tee tr xargs'],
];

export function inputCommands(session: Session): Command[] {
  const reader = (name: string, operands: number): Command =>
    defineCommand(name, async (args, ctx) => {
      const device = name === 'head' ? headOfDevice(args) : undefined;
      if (device !== undefined) return device;
      const given = args.filter(arg => (!arg.startsWith('-') || arg === '-') && !/^\d+$/.test(arg)).length;
      if (!isLive(ctx) || given > operands) return original(args, ctx);
      return execute(
        [name, ...args].map(quote).join(' '),
        ctx,
        (await session.stdin?.readAll())?.toString('latin1') ?? '',
      );
    });
  return [
    ...READERS.flatMap(([operands, names]) => names.split(' ').map(name => reader(name, operands))),
    defineCommand('cat', (args, ctx) => cat(session, args, ctx)),
  ];
}

async function cat(session: Session, args: string[], ctx: ResolvedCommandContext): Promise<ExecResult> {
  const fromInput = args.every(arg => arg === '-');
  if (!fromInput || !isLive(ctx)) return original(args, ctx);
  const own = streaming(session, ctx);
  if (own === undefined) return bytes((await session.stdin?.readAll()) ?? Buffer.alloc(0));
  for (let part = await session.stdin?.read(); part !== undefined; part = await session.stdin?.read()) {
    await own.output('stdout', part);
  }
  return text('');
}

const MAX_BYTES = 256 * 1024 * 1024;
const ENDLESS = new Set(['/dev/zero', '/dev/urandom', '/dev/random']);
/** Characters that stand for single bytes while just-bash, which knows text, writes them. */
const STAND_IN = 0xf700;
const HIGH_ESCAPE = /\\x([89a-fA-F][0-9a-fA-F])|\\0?([23][0-7]{2})/g;

/** `source`: printf and echo are taken over only where they write such escapes. */
export function byteCommands(source: string): Command[] {
  const written = [
    defineCommand('printf', (args, ctx) => (args[0] === '-v' ? original(args, ctx) : withBytes(args, ctx))),
    defineCommand('echo', (args, ctx) => (/^-\w*e/.test(args[0] ?? '') ? withBytes(args, ctx) : original(args, ctx))),
  ];
  return [
    ...(source.search(HIGH_ESCAPE) === -1 ? [] : written),
    defineCommand('dd', dd),
    defineCommand('truncate', truncate),
    defineCommand('realpath', (args, ctx) => {
      const paths = args.filter(arg => !arg.startsWith('-'));
      return execute(['readlink', '-f', ...paths].map(quote).join(' '), ctx, '');
    }),
  ];
}

async function withBytes(args: string[], ctx: ResolvedCommandContext): Promise<ExecResult> {
  if (!args.some(arg => arg.search(HIGH_ESCAPE) !== -1)) return original(args, ctx);
  const marked = args.map(arg =>
    arg.replace(HIGH_ESCAPE, (_, hex: string | undefined, octal: string | undefined) =>
      String.fromCharCode(STAND_IN + (hex === undefined ? Number.parseInt(octal ?? '', 8) : Number.parseInt(hex, 16))),
    ),
  );
  const written = await original(marked, ctx);
  if (written.exitCode !== 0) return written;
  const stdout =
    written.stdoutKind === 'bytes' ? Buffer.from(written.stdout, 'latin1').toString('utf8') : written.stdout;
  const parts = Array.from(stdout, char => {
    const code = char.charCodeAt(0) - STAND_IN;
    return code >= 0x80 && code <= 0xff ? Buffer.of(code) : Buffer.from(char, 'utf8');
  });
  return bytes(Buffer.concat(parts), written.stderr);
}

function endless(path: string, count: number): Buffer {
  return path === '/dev/zero' ? Buffer.alloc(count) : randomBytes(count);
}

/** `10`, `4k`, `1M` … as bytes. */
function sizeOf(given = ''): number {
  const match = /^(\d+)\s*([kKMG]?)(?:i?B)?$/.exec(given);
  if (match === null) return Number.NaN;
  return Number(match[1]) * ({ k: 1024, K: 1024, M: 1024 ** 2, G: 1024 ** 3 }[match[2] ?? ''] ?? 1);
}

const tooLarge = (name: string): ExecResult => failed(`${name}: more than local mode holds`);

/** `head -c N` of an endless device; undefined: of something else. */
function headOfDevice(args: readonly string[]): ExecResult | undefined {
  const device = args.find(arg => ENDLESS.has(arg));
  if (device === undefined) return undefined;
  const count = sizeOf(String(optionsOf(args, { bytes: { type: 'string', short: 'c' } }).values.bytes));
  if (Number.isNaN(count)) return failed(`head: ${device} has no lines: say how many bytes, with -c`);
  return count > MAX_BYTES ? tooLarge('head') : bytes(endless(device, count));
}

async function dd(args: string[], ctx: ResolvedCommandContext): Promise<ExecResult> {
  const options = new Map(args.map(arg => [arg.split('=', 1)[0] ?? '', arg.slice(arg.indexOf('=') + 1)]));
  const unknown = [...options.keys()].find(
    name => !['if', 'of', 'bs', 'count', 'status', 'skip', 'conv', 'iflag', 'oflag'].includes(name),
  );
  if (unknown !== undefined) return failed(`dd: local mode has no operand ${unknown}`);
  const block = sizeOf(options.get('bs') ?? '512');
  const count = options.has('count') ? sizeOf(options.get('count')) : undefined;
  const from = options.get('if');
  if (Number.isNaN(block) || Number.isNaN(count)) return failed('dd: invalid number');
  const wanted = count === undefined ? undefined : block * count;
  if ((wanted ?? 0) > MAX_BYTES) return tooLarge('dd');
  let content: Buffer;
  if (from !== undefined && ENDLESS.has(from)) {
    if (wanted === undefined) return failed(`dd: ${from} does not end: say count=`);
    content = endless(from, wanted);
  } else {
    const path = from === undefined ? undefined : ctx.fs.resolvePath(ctx.cwd, from);
    const read = path === undefined ? Buffer.from(latin1FromBytes(ctx.stdin), 'latin1') : await load(path, ctx);
    if (read === undefined) return failed(`dd: failed to open '${from}': No such file or directory`);
    const start = (Number(options.get('skip') ?? 0) || 0) * block;
    content = read.subarray(start, wanted === undefined ? undefined : start + wanted);
  }
  const blocks = `${Math.floor(content.length / block)}+${content.length % block === 0 ? 0 : 1}`;
  const report =
    options.get('status') === 'none'
      ? ''
      : `${blocks} records in\n${blocks} records out\n${content.length} bytes copied\n`;
  const to = options.get('of');
  if (to === undefined) return bytes(content, report);
  await ctx.fs.writeFile(ctx.fs.resolvePath(ctx.cwd, to), content);
  return text('', report);
}

async function truncate(args: string[], ctx: ResolvedCommandContext): Promise<ExecResult> {
  const { values, positionals } = optionsOf(args, { size: { type: 'string', short: 's' } });
  const size = sizeOf(String(values.size));
  if (Number.isNaN(size)) return failed("truncate: you must specify '--size'");
  if (size > MAX_BYTES) return tooLarge('truncate');
  for (const file of positionals) {
    const path = ctx.fs.resolvePath(ctx.cwd, file);
    const content = (await load(path, ctx)) ?? Buffer.alloc(0);
    const filled = Buffer.concat([content.subarray(0, size), Buffer.alloc(Math.max(0, size - content.length))]);
    await ctx.fs.writeFile(path, filled);
  }
  return text('');
}

async function load(path: string, ctx: ResolvedCommandContext): Promise<Buffer | undefined> {
  const content = await ctx.fs.readFileBuffer(path).catch(() => undefined);
  return content === undefined ? undefined : Buffer.from(content);
}
