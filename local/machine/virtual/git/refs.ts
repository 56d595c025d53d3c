// What git says of references: symbolic-ref, for-each-ref, and the lists of `branch`, which just-git lacks.
import type { GitContext } from 'just-git';
import { optionsOf } from '../commands/running.ts';

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

/** What these commands print; undefined: it is another command, or not a list. @throws Error */
export async function references(name: string, args: readonly string[], repo: GitContext): Promise<string | undefined> {
  const flag = (short: string) => ({ type: 'boolean', short }) as const;
  const flags = { list: flag('l'), remotes: flag('r'), all: flag('a'), short: { type: 'boolean' } } as const;
  const { values, positionals } = optionsOf(args, { ...flags, format: { type: 'string' } });
  const format = typeof values.format === 'string' ? values.format : undefined;
  if (name === 'symbolic-ref') return symbolicRef(repo, positionals, values.short === true);
  if (name === 'for-each-ref') {
    const prefixes = positionals.length === 0 ? ['refs'] : positionals.map(prefix => prefix.replace(/\/$/, ''));
    return eachRef(repo, format ?? '%(objectname) %(objecttype)\t%(refname)', prefixes);
  }
  if (name !== 'branch' || (format === undefined && values.list !== true)) return undefined;
  const prefixes = [
    ...(values.remotes === true ? [] : [HEADS]),
    ...(values.remotes === true || values.all === true ? ['refs/remotes'] : []),
  ];
  return eachRef(repo, format ?? '%(HEAD) %(refname:short)', prefixes, positionals);
}

async function symbolicRef(repo: GitContext, [ref = 'HEAD', target]: readonly string[], isShort: boolean) {
  if (target !== undefined) {
    await repo.refStore.writeRef(ref, { type: 'symbolic', target });
    return '';
  }
  const read = await repo.refStore.readRef(ref);
  if (read?.type !== 'symbolic') throw new Error(`ref ${ref} is not a symbolic ref`);
  return `${isShort ? short(read.target) : read.target}\n`;
}

/** One line for each reference below one of the prefixes whose short name fits a pattern. */
async function eachRef(
  repo: GitContext,
  format: string,
  prefixes: readonly string[],
  patterns: readonly string[] = [],
): Promise<string> {
  const lines: string[] = [];
  for (const { name, hash } of (await Promise.all(prefixes.map(prefix => repo.refStore.listRefs(prefix)))).flat()) {
    if (patterns.length > 0 && !patterns.some(pattern => fits(short(name), pattern))) continue;
    const values = await atoms(repo, name, hash);
    lines.push(`${format.replace(/%\(([\w:]+)\)/g, (whole, atom: string) => values[atom] ?? whole)}\n`);
  }
  return lines.join('');
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
