// What git says of references: symbolic-ref, for-each-ref, and the lists of `branch`, which just-git lacks.
import type { GitContext } from 'just-git';

const HEADS = 'refs/heads';
const short = (name: string): string => name.replace(/^refs\/(heads|tags|remotes)\//, '');

export async function currentBranch(repo: GitContext): Promise<string | undefined> {
  const head = await repo.refStore.readRef('HEAD');
  return head?.type === 'symbolic' ? head.target : undefined;
}

/** As `%(…)` names them. */
async function atoms(repo: GitContext, name: string, hash: string): Promise<Readonly<Record<string, string>>> {
  return {
    refname: name,
    'refname:short': short(name),
    objectname: hash,
    'objectname:short': hash.slice(0, 7),
    objecttype: (await repo.objectStore.read(hash)).type,
    HEAD: (await currentBranch(repo)) === name ? '*' : ' ',
  };
}

/** `*` is anything. Not by a regular expression: one with many stars takes very long to fail. */
function fits(name: string, pattern: string): boolean {
  const [first = '', ...pieces] = pattern.split('*');
  const last = pieces.pop();
  if (last === undefined) return name === pattern;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const piece of pieces) {
    const found = name.indexOf(piece, at);
    if (found === -1) return false;
    at = found + piece.length;
  }
  return name.length - at >= last.length && name.endsWith(last);
}

/** One line for each reference below one of the prefixes whose short name fits a pattern. */
export async function eachRef(
  repo: GitContext,
  format: string,
  prefixes: readonly string[],
  patterns: readonly string[] = [],
): Promise<string> {
  const lines: string[] = [];
  for (const prefix of prefixes) {
    for (const { name, hash } of await repo.refStore.listRefs(prefix)) {
      if (patterns.length > 0 && !patterns.some(pattern => fits(short(name), pattern))) continue;
      const values = await atoms(repo, name, hash);
      lines.push(`${format.replace(/%\(([\w:]+)\)/g, (whole, atom: string) => values[atom] ?? whole)}\n`);
    }
  }
  return lines.join('');
}

/** `branch --list` and `branch --format=…`; undefined: another kind of `branch`. */
export async function branchList(repo: GitContext, args: readonly string[]): Promise<string | undefined> {
  const inline = args.find(arg => arg.startsWith('--format='))?.slice('--format='.length);
  const at = args.indexOf('--format');
  const format = inline ?? (at === -1 ? undefined : args[at + 1]);
  if (format === undefined && !args.includes('--list') && !args.includes('-l')) return undefined;
  const patterns = args.filter((arg, index) => !arg.startsWith('-') && (at === -1 || index !== at + 1));
  const remotes = args.some(arg => /^(-r|--remotes)$/.test(arg));
  const all = args.some(arg => /^(-a|--all)$/.test(arg));
  const prefixes = [...(remotes ? [] : [HEADS]), ...(remotes || all ? ['refs/remotes'] : [])];
  return eachRef(repo, format ?? '%(HEAD) %(refname:short)', prefixes, patterns);
}

/** The short name of what the branch follows. */
export async function upstream(
  repo: GitContext,
  config: (key: string) => Promise<string>,
): Promise<string | undefined> {
  const branch = short((await currentBranch(repo)) ?? '');
  const [remote, merge] = [await config(`branch.${branch}.remote`), await config(`branch.${branch}.merge`)];
  return remote === '' || merge === '' ? undefined : `${remote}/${short(merge)}`;
}

/** After a bare clone: its branches are its own, where just-git makes them another's. */
export async function ownBranches({ refStore }: GitContext): Promise<void> {
  const from = 'refs/remotes/origin';
  for (const { name, hash } of await refStore.listRefs(from)) {
    await refStore.deleteRef(name);
    if (name !== `${from}/HEAD`) await refStore.writeRef(HEADS + name.slice(from.length), hash);
  }
}
