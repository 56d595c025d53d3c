// git's configuration beyond a repository's own: ~/.gitconfig and /etc/gitconfig, read and written by just-git as if they
// were a repository's.
import type { ResolvedCommandContext } from 'just-bash';
import type { Git, ObjectStore, RefStore } from 'just-git';

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
