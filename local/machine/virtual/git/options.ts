// git's own command line before just-git reads it: options before the command, and those that just-git does not know and
// that change only what is printed. Pure.
import { posix } from 'node:path';

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
