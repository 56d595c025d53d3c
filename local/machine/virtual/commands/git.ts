// git: just-git's, and what its command line lacks that E2B's SDK and people ask for.
import { posix } from 'node:path';
import { type Command, defineCommand, type ExecResult, latin1FromBytes, type ResolvedCommandContext } from 'just-bash';
import type { Git, GitContext, GitOptions } from 'just-git';
import { daemonRepo, gitDaemon } from '../git/daemon.ts';
import { configDefaults, configFile, configIn, type GitCall, parseGit } from '../git/options.ts';
import { currentBranch, ownBranches, references, upstream } from '../git/refs.ts';
import type { Session } from '../session.ts';
import { failed, text } from './running.ts';

type Execute = (...args: string[]) => Promise<ExecResult>;

const UPSTREAM = /@\{(u|upstream|push)\}/;
const VERSION = 'git version 2.53.0 (just-git, local mode)\n';

export function gitCommands(session: Session): Command[] {
  return [
    defineCommand('git', async (given, ctx) => {
      try {
        const call = parseGit(given, ctx.cwd);
        const result = await run(call, session, { ...ctx, cwd: call.cwd });
        return call.quiet && result.exitCode === 0 ? text('') : result;
      } catch (caught) {
        return failed(`fatal: ${caught instanceof Error ? caught.message : 'git failed'}`, 128);
      }
    }),
  ];
}

async function run(call: GitCall, session: Session, ctx: ResolvedCommandContext): Promise<ExecResult> {
  const { name, args } = call;
  if (/^(--version|-v|version)$/.test(name)) return text(VERSION);
  if (name === 'daemon') return gitDaemon(args, session, ctx);
  const { createGit, findRepo } = await import('just-git');
  const make = (options: GitOptions): Git => createGit(options);
  const repo = await findRepo(ctx.fs, ctx.cwd);
  const { network } = session.shell;
  const defaults = await configDefaults(make, ctx);
  const git = make({
    config: { locked: call.config, defaults },
    network: { fetch: (input, init) => network.webFetch(new Request(input, init)) },
    resolveRemote: url => daemonRepo(url, ctx.fs, network),
  });
  const execute: Execute = (...rest) => git.execute(rest, ctx);
  if (name === 'config') {
    const asked = configFile(args, ctx);
    const file = asked.file ?? (repo === null ? configFile(['--global'], ctx).file : undefined);
    return file === undefined ? execute('config', ...asked.args) : configIn(file, asked.args, make, ctx);
  }
  if (name === 'credential') return credential(args, defaults['credential.helper'], ctx);
  if (name === 'remote' && args[0] === 'add' && args.includes('-f')) return addAndFetch(args, execute);
  if (name === 'clone' && args.includes('--bare')) return cloneBare(args, execute, ctx);
  const listed = repo === null ? undefined : await references(name, args, repo);
  if (listed !== undefined) return text(listed);
  const value = async (key: string) => (await execute('config', '--get', key)).stdout.trim();
  const known = args.some(arg => UPSTREAM.test(arg)) && repo !== null ? await followed(args, repo, value) : args;
  return name === 'commit' ? commit(git, known, ctx) : execute(name, ...known);
}

async function addAndFetch(args: readonly string[], execute: Execute): Promise<ExecResult> {
  const [, remote = '', url = ''] = args.filter(arg => arg !== '-f');
  const added = await execute('remote', 'add', remote, url);
  return added.exitCode === 0 ? execute('fetch', remote) : added;
}

async function cloneBare(args: readonly string[], execute: Execute, ctx: ResolvedCommandContext): Promise<ExecResult> {
  const isValue = (at: number): boolean => /^(-b|--branch|--depth)$/.test(args[at - 1] ?? '');
  const [url = '', folder] = args.filter((arg, at) => !arg.startsWith('-') && !isValue(at));
  const to = ctx.fs.resolvePath(ctx.cwd, folder ?? `${posix.basename(url, '.git')}.git`);
  const cloned = await execute('clone', ...args.filter(arg => arg !== folder), to);
  const { findRepo } = await import('just-git');
  const made = cloned.exitCode === 0 ? await findRepo(ctx.fs, to) : null;
  if (made !== null) await ownBranches(made);
  return cloned;
}

/** `@{u}` as the branch it means. @throws Error */
async function followed(args: readonly string[], repo: GitContext, value: (key: string) => Promise<string>) {
  const name = await upstream(repo, value);
  if (name === undefined) {
    const branch = (await currentBranch(repo))?.replace('refs/heads/', '');
    throw new Error(
      branch === undefined ? 'HEAD does not point to a branch' : `no upstream configured for branch '${branch}'`,
    );
  }
  return args.map(arg => arg.replace(UPSTREAM, name));
}

/** With `--author`. */
function commit(git: Git, args: readonly string[], ctx: ResolvedCommandContext): Promise<ExecResult> {
  const at = args.findIndex(arg => /^--author(=|$)/.test(arg));
  if (at === -1) return git.execute(['commit', ...args], ctx);
  const inline = args[at]?.split(/=(.*)/s, 2)[1];
  const [, name, email] = /^\s*(.*?)\s*<(.*)>\s*$/s.exec(inline ?? args[at + 1] ?? '') ?? [];
  if (name === undefined || email === undefined)
    throw new Error(`--author '${inline ?? args[at + 1]}' is not 'Name <email>'`);
  const env = new Map([...ctx.env, ['GIT_AUTHOR_NAME', name], ['GIT_AUTHOR_EMAIL', email]]);
  return git.execute(['commit', ...args.toSpliced(at, inline === undefined ? 2 : 1)], { ...ctx, env });
}

/** `credential approve` with the helper `store`: what git would keep for hosts that local mode cannot reach. */
async function credential([action]: readonly string[], helper: string | undefined, ctx: ResolvedCommandContext) {
  if (action !== 'approve') return failed(`git: credential ${action ?? ''} is not part of local mode`);
  const given = new Map(
    latin1FromBytes(ctx.stdin)
      .split('\n')
      .map(line => line.split(/=(.*)/s, 2) as [string, string]),
  );
  if (helper !== 'store') return text('');
  const [username, password] = [given.get('username') ?? '', given.get('password') ?? ''].map(encodeURIComponent);
  const path = `${ctx.env.get('HOME') ?? '/home/user'}/.git-credentials`;
  await ctx.fs.appendFile(path, `${given.get('protocol')}://${username}:${password}@${given.get('host')}\n`);
  await ctx.fs.chmod(path, 0o600);
  return text('');
}
