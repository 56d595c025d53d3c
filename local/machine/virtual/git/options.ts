// git's own command line before just-git reads it: options before the command, and those that just-git does not know
// and that change only what is printed. And its configuration beyond a repository's own: ~/.gitconfig and
// /etc/gitconfig, read and written by just-git as if they were a repository's.
import { posix } from 'node:path';
import type { ResolvedCommandContext } from 'just-bash';
import type { Git, ObjectStore, RefStore } from 'just-git';

export type GitCall = {
  readonly cwd: string;
  /** `-c name=value`. */
  readonly config: Readonly<Record<string, string>>;
  readonly name: string;
  readonly args: readonly string[];
  /** `-q`: nothing but errors. */
  readonly quiet: boolean;
};

const WITHOUT_EFFECT = new Set(['--no-pager', '-P', '--paginate', '-p', '--no-optional-locks', '--literal-pathspecs']);
const QUIETABLE = new Set(
  'init clone commit checkout switch pull fetch push merge rebase reset rm stash add'.split(' '),
);
/** Also among other letters, before one that takes what follows. */
const QUIET = /^(?:--quiet$|-(?:[a-ln-zA-Z]*)q)/;
/** Hooks, signatures and progress bars, which are not here. */
const ABSENT = new Set(['--no-verify', '--no-gpg-sign', '--progress', '--no-progress']);

/** @throws Error */
export function parseGit(given: readonly string[], from: string): GitCall {
  const config: Record<string, string> = {};
  let cwd = from;
  let gitDir: string | undefined;
  let workTree: string | undefined;
  let at = 0;
  for (; given[at]?.startsWith('-') === true && !/^(--version|-v|--help|-h)$/.test(given[at] ?? ''); at += 1) {
    const [option = '', inline] = (given[at] ?? '').split(/=(.*)/s, 2);
    if (WITHOUT_EFFECT.has(option)) continue;
    const value = inline ?? given[++at] ?? '';
    if (option === '-C') cwd = posix.resolve(cwd, value);
    else if (option === '--git-dir') gitDir = posix.resolve(cwd, value);
    else if (option === '--work-tree') workTree = posix.resolve(cwd, value);
    else if (option === '-c') {
      const [key = '', set = 'true'] = value.split(/=(.*)/s, 2);
      config[key] = set;
    } else throw new Error(`unknown option: ${option}`);
  }
  if (workTree !== undefined && gitDir !== undefined && gitDir !== posix.join(workTree, '.git')) {
    throw new Error('local mode cannot use a work tree with a repository elsewhere');
  }
  const name = given[at] ?? '';
  const rest = given.slice(at + 1);
  const end = rest.indexOf('--') === -1 ? rest.length : rest.indexOf('--');
  const own = rest.slice(0, end);
  const quiet = QUIETABLE.has(name) && own.some(arg => QUIET.test(arg));
  const shown = QUIETABLE.has(name) ? [...own.flatMap(withoutQuiet), ...rest.slice(end)] : rest;
  // just-git's `add` takes what follows `--` for nothing.
  const args = name === 'add' ? shown.filter(arg => arg !== '--') : shown;
  return { cwd: workTree ?? gitDir ?? cwd, config, name, args, quiet };
}

function withoutQuiet(arg: string): string[] {
  if (ABSENT.has(arg)) return [];
  const left = QUIET.test(arg) ? (arg === '--quiet' ? '-' : arg.replace('q', '')) : arg;
  return left === '-' && arg !== '-' ? [] : [left];
}

type MakeGit = (options: { gitDir: string; objectStore: ObjectStore; refStore: RefStore }) => Git;
type Files = ResolvedCommandContext['fs'];

const NOWHERE = '/nowhere';
const SYSTEM = '/etc/gitconfig';

const globalFile = (ctx: ResolvedCommandContext): string => `${ctx.env.get('HOME') ?? '/home/user'}/.gitconfig`;

/** The file that a `git config` names, and its arguments without that; undefined: the repository's own. */
export function configFile(given: readonly string[], ctx: ResolvedCommandContext): { file?: string; args: string[] } {
  const at = given.findIndex(arg => /^(--global|--system|--local|--file|-f)$/.test(arg));
  const args = given.filter((_, index) => index !== at);
  switch (given[at]) {
    case '--global':
      return { file: globalFile(ctx), args };
    case '--system':
      return { file: SYSTEM, args };
    case '--file':
    case '-f':
      return { file: ctx.fs.resolvePath(ctx.cwd, args[at] ?? ''), args: args.toSpliced(at, 1) };
    default:
      return { args };
  }
}

/** `git config …` on that file. */
export function configIn(file: string, args: readonly string[], make: MakeGit, ctx: ResolvedCommandContext) {
  const at = (path: string): string => (path === `${NOWHERE}/config` ? file : path);
  // All that just-git does with a configuration.
  const files: Pick<Files, 'readFile' | 'writeFile' | 'exists'> = {
    readFile: path => ctx.fs.readFile(at(path)),
    writeFile: (path, content) => ctx.fs.writeFile(at(path), content),
    exists: path => ctx.fs.exists(at(path)),
  };
  // The stores are not asked for a configuration.
  const git = make({ gitDir: NOWHERE, objectStore: {} as ObjectStore, refStore: {} as RefStore });
  return git.execute(['config', ...args], { ...ctx, fs: files as Files });
}

/** What holds where the repository says nothing. */
export async function configDefaults(make: MakeGit, ctx: ResolvedCommandContext): Promise<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const file of [SYSTEM, globalFile(ctx)]) {
    if (!(await ctx.fs.exists(file))) continue;
    const { stdout } = await configIn(file, ['--list'], make, ctx);
    for (const line of stdout.split('\n')) {
      const [key = '', value = ''] = line.split(/=(.*)/s, 2);
      if (key !== '') values[key] = value;
    }
  }
  return values;
}
