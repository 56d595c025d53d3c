// Commands that read the process's live input. just-bash gives a command its whole input at once, so a live one is
// stood for by a mark: `cat` then passes on what comes as it comes, the others get everything once it has ended.
import { type Command, defineCommand, type ExecResult, type ResolvedCommandContext } from 'just-bash';
import { quote, type Session } from '../session.ts';
import { headOfDevice } from './bytes.ts';
import { bytes, execute, isLive, original, streaming, text } from './running.ts';

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
      return execute([name, ...args].map(quote).join(' '), ctx, (await readAll(session)).toString('latin1'));
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
  if (own === undefined) return bytes(await readAll(session));
  for (let part = await session.stdin?.read(); part !== undefined; part = await session.stdin?.read()) {
    await own.output('stdout', part);
  }
  return text('');
}

async function readAll(session: Session): Promise<Buffer> {
  return (await session.stdin?.readAll()) ?? Buffer.alloc(0);
}
