// Writes dist/THIRD_PARTY.txt: the packages whose code is in the build, each with its licence as the package ships it.
import { readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PACKAGE = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//;
const LICENCE = /^(licen[cs]e|copying|notice)([.-].*)?$/i;

/** @param metafiles of esbuild */
export function writeThirdParty(metafiles, target) {
  const roots = new Set();
  for (const { inputs } of metafiles)
    for (const input of Object.keys(inputs)) {
      const root = PACKAGE.exec(input)?.[1];
      if (root !== undefined) roots.add(realpathSync(root));
    }
  const notices = [...roots].map(noticeOf);
  const byName = new Map(notices.map(notice => [notice.title, notice.text]));
  const sorted = [...byName].sort(([a], [b]) => (a < b ? -1 : 1));
  const line = '─'.repeat(100);
  writeFileSync(target, sorted.map(([title, text]) => `${line}\n${title}\n\n${text.trim()}\n`).join('\n'));
}

/** A package without a licence we know of is a reason to stop, not to ship it. */
function noticeOf(root) {
  const { name, version, license, author, homepage } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const files = readdirSync(root).filter(file => LICENCE.test(file));
  const texts = files.map(file => readFileSync(join(root, file), 'utf8'));
  if (typeof license !== 'string' && texts.length === 0) throw new Error(`${name} has no licence`);
  const by = typeof author === 'object' ? author.name : author;
  const fallback = [by && `Copyright ${by}`, homepage].filter(Boolean).join('\n');
  return { title: `${name} ${version} (${license ?? 'see below'})`, text: texts.join('\n\n') || fallback };
}
