// The programs that run programs: bash, python3 and node, and the package managers, which say what they cannot do here.
import { type Command, defineCommand, type ExecResult, latin1FromBytes, type ResolvedCommandContext } from 'just-bash';
import type { Language } from '../../machine.ts';
import type { Session } from '../session.ts';
import {
  collect,
  exported,
  failed,
  inherited,
  isLive,
  optionsOf,
  original,
  runLine,
  streaming,
  text,
} from './running.ts';

export function runtimeCommands(session: Session): Command[] {
  const all = (
    names: string,
    run: (name: string, args: string[], ctx: ResolvedCommandContext) => Promise<ExecResult>,
  ) => names.split(' ').map(name => defineCommand(name, (args, ctx) => run(name, args, ctx)));
  return [
    ...all('python3 python python3.13', (_, args, ctx) => runProgram(session, 'python', args, ctx)),
    ...all('node nodejs tsx', (_, args, ctx) => runProgram(session, 'javascript', args, ctx)),
    ...all('bash sh', (_, args, ctx) => bash(session, args, ctx)),
    ...all('pip pip3 uv conda', async (name, args) => pip(name, args)),
    ...all('npm yarn pnpm npx', (name, args, ctx) => npm(session, name, args, ctx)),
  ];
}

function runProgram(session: Session, language: Language, args: string[], ctx: ResolvedCommandContext) {
  const live = isLive(ctx) ? session.stdin : undefined;
  const given = [Buffer.from(live === undefined ? latin1FromBytes(ctx.stdin) : '', 'latin1')].filter(
    part => part.length > 0,
  );
  const io = {
    cwd: ctx.cwd,
    env: exported(ctx),
    stdin: async () => (live === undefined ? given.shift() : live.read()),
    signal: ctx.signal === undefined ? session.signal : AbortSignal.any([session.signal, ctx.signal]),
  };
  return collect(session, ctx, output => session.shell.runProgram(language, args, { ...io, output }));
}

/** A script of its own, with live output, where just-bash's own would give it at the end. */
async function bash(session: Session, args: string[], ctx: ResolvedCommandContext): Promise<ExecResult> {
  const at = args.findIndex(arg => !/^-[a-bd-z]+$/.test(arg));
  const options = at === -1 ? args : args.slice(0, at);
  const [first, ...rest] = at === -1 ? [] : args.slice(at);
  const own = streaming(session, ctx);
  if (own === undefined || first === undefined) return original(args, ctx);
  const settings = options.map(option => option.replace(/[^exuv]/g, '')).filter(flags => flags !== '');
  const prefix = settings.length === 0 ? '' : `set -${settings.join('')}; `;
  const isCommand = /^-[a-z]*c$/.test(first);
  const source = isCommand ? rest[0] : await ctx.fs.readFile(ctx.fs.resolvePath(ctx.cwd, first)).catch(() => undefined);
  if (source === undefined) return failed(`bash: ${first}: No such file or directory`, 127);
  const positional = isCommand ? rest.slice(2) : rest;
  return text('', '', await own.run(prefix + source, { ...inherited(ctx), positional }));
}

function pip(name: string, args: string[]): ExecResult {
  const [command, ...rest] = args;
  if (command === '--version' || command === '-V') return text(`${name} 25.0 (local mode stand-in, python 3.13)\n`);
  if (command === 'list' || command === 'freeze') return text('');
  if (command !== 'install' && command !== 'add')
    return failed(`${name}: local mode has no ${command ?? 'such'} command`);
  const wanted = rest.filter(arg => !arg.startsWith('-'));
  const unknown = wanted.filter(packageName => !/^(pip|setuptools|wheel)\b/.test(packageName));
  if (unknown.length === 0)
    return text(wanted.map(packageName => `Requirement already satisfied: ${packageName}\n`).join(''));
  return failed(
    `ERROR: ${unknown.join(', ')} cannot be installed: this is local mode, a stand-in for E2B without network. ` +
      'Python has its standard library here. A real sandbox installs packages.',
  );
}

async function npm(session: Session, name: string, args: string[], ctx: ResolvedCommandContext): Promise<ExecResult> {
  const [command, ...rest] = args;
  if (command === '--version' || command === '-v') return text('11.0.0\n');
  if (command === 'init') {
    const path = ctx.fs.resolvePath(ctx.cwd, 'package.json');
    const json = { name: 'project', version: '1.0.0', main: 'index.js', scripts: {}, license: 'ISC' };
    await ctx.fs.writeFile(path, `${JSON.stringify(json, null, 2)}\n`);
    return text(`Wrote to ${path}\n`);
  }
  if (name === 'npx' && (command === 'tsx' || command === 'ts-node'))
    return runProgram(session, 'javascript', rest, ctx);
  if (name === 'npx' && /^(http-server|serve)$/.test(command ?? '')) return serveFolder(session, rest, ctx);
  if (['run', 'start', 'test'].includes(command ?? '')) return npmScript(session, args, ctx);
  return failed(
    `${name}: ${args.join(' ')}: not possible in local mode, a stand-in for E2B without network: no package can be ` +
      'installed. Node’s basic modules are here. A real sandbox installs packages.',
  );
}

async function npmScript(session: Session, args: string[], ctx: ResolvedCommandContext): Promise<ExecResult> {
  const name = (args[0] === 'run' ? args[1] : args[0]) ?? '';
  const read = async (): Promise<unknown> =>
    JSON.parse(await ctx.fs.readFile(ctx.fs.resolvePath(ctx.cwd, 'package.json'))).scripts[name];
  const script = await read().catch(() => undefined);
  if (typeof script !== 'string') return failed(`npm error Missing script: "${name}"`);
  return runLine(session, script, ctx);
}

async function serveFolder(session: Session, args: string[], ctx: ResolvedCommandContext): Promise<ExecResult> {
  const known = { port: { type: 'string', short: 'p' }, listen: { type: 'string', short: 'l' } } as const;
  const { values, positionals } = optionsOf(args, known);
  const given = String(values.port ?? values.listen ?? 3000);
  return runProgram(session, 'python', ['-m', 'http.server', given, '--directory', positionals[0] ?? '.'], ctx);
}
