// Folders and the imports between them: imports go one way, no allowed import is unused, and only main.ts reads the
// environment.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Folder or file right under src/ -> what it may import from, besides itself. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  http: ['api.ts', 'engine', 'ground', 'mcp', 'errors.ts', 'log.ts', 'principal.ts', 'trace.ts'],
  mcp: ['api.ts', 'guest', 'engine', 'broker', 'ground', 'errors.ts', 'log.ts', 'principal.ts', 'trace.ts'],
  guest: ['engine', 'spec', 'ground', 'errors.ts'],
  engine: ['e2b', 'ground', 'errors.ts', 'principal.ts'],
  broker: ['engine', 'e2b', 'ground', 'spec', 'upstream', 'errors.ts', 'principal.ts', 'trace.ts'],
  upstream: ['spec', 'ground', 'errors.ts', 'principal.ts', 'trace.ts'],
  // The broker and the microVM engine talk to sandboxes over the same wire.
  e2b: ['api.ts', 'ground', 'errors.ts', 'trace.ts'],
  spec: ['ground', 'errors.ts'],
  ground: ['errors.ts'],
  'api.ts': [],
  'config.ts': ['ground', 'setting-forms.ts'],
  'setting-forms.ts': ['ground'],
  'errors.ts': [],
  'log.ts': [],
  'principal.ts': ['errors.ts'],
  // Types only: what each reports is described where it happens.
  'metrics.ts': ['http', 'mcp', 'upstream'],
  'trace.ts': [],
};

const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.ts'));
const partOf = (file: string) => file.split('/')[0] ?? file;
const importsOf = (file: string) =>
  [...readFileSync(join('src', file), 'utf8').matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, path]) =>
    normalize(join(dirname(file), path ?? '')),
  );

/** Types included: a circle of types alone is hard to read as well. */
const allImportsOf = (file: string) =>
  [...readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, path]) =>
    normalize(join(dirname(file), path ?? '')),
  );

/** They put the parts together, so they may import anything. */
const ASSEMBLERS = [
  'boot.ts',
  'main.ts',
  'core.ts',
  'engines.ts',
  'gateway.ts',
  'product.ts',
  'ready-made.ts',
  'sign-in.ts',
  'stdio.ts',
  'stdio-transport.ts',
];
const inFolders = files.filter(file => !ASSEMBLERS.includes(file));

it('no file has more than 300 lines', () => {
  const all = ['src', 'local', 'web', 'test', 'bench', 'examples', 'deploy'].flatMap(root =>
    readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter(file => /\.(?:ts|tsx|mjs|py|css)$/.test(file))
      .map(file => join(root, file)),
  );
  expect(all.length).toBeGreaterThan(600);
  expect(all.filter(file => readFileSync(file, 'utf8').split('\n').length > 301)).toEqual([]);
});

it('no import circle between files', () => {
  const all = ['src', 'local'].flatMap(root =>
    readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter(file => file.endsWith('.ts'))
      .map(file => join(root, file)),
  );
  const imports = new Map(all.map(file => [file, allImportsOf(file)]));
  const state = new Map<string, 'open' | 'done'>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (state.get(file) === 'open') circles.push([...path.slice(path.indexOf(file)), file].join(' → '));
    if (state.has(file)) return;
    state.set(file, 'open');
    for (const next of imports.get(file) ?? []) visit(next, [...path, file]);
    state.set(file, 'done');
  };
  for (const file of all) visit(file, []);
  expect(circles).toEqual([]);
});

it('the folders of local mode import one way, and of src what decision 0056 and its JavaScript share', () => {
  const local = readdirSync('local', { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.ts'));
  const folderOf = (file: string) => file.split('/')[1] ?? '';
  const imported = new Map<string, Set<string>>();
  const outside: string[] = [];
  for (const file of local.filter(name => name.includes('/'))) {
    const from = folderOf(join('local', file));
    for (const target of allImportsOf(join('local', file))) {
      if (!target.startsWith('local/')) outside.push(target);
      else if (target.split('/').length > 2 && folderOf(target) !== from)
        imported.set(from, (imported.get(from) ?? new Set()).add(folderOf(target)));
    }
  }
  const reach = (folder: string, seen = new Set<string>()): Set<string> => {
    for (const next of imported.get(folder) ?? []) if (!seen.has(next)) reach(next, seen.add(next));
    return seen;
  };
  expect([...imported.keys()].filter(folder => reach(folder).has(folder))).toEqual([]);
  expect([...new Set(outside)].sort()).toEqual([
    'src/ground/built.ts',
    'src/ground/lazy.ts',
    'src/ground/loopback.ts',
    'src/ground/read-capped.ts',
    'src/guest/prelude/abort.ts',
    'src/guest/prelude/buffer/buffer.ts',
    'src/guest/prelude/url.ts',
    'src/spec/description.ts',
    'src/spec/load.ts',
    'src/upstream/validate.ts',
  ]);
});

describe.each(inFolders)('src/%s', file => {
  it('imports only from folders it may import', () => {
    const part = partOf(file);
    const allowed = MAY_IMPORT[part];
    expect(allowed, `${part} is not in MAY_IMPORT`).toBeDefined();
    const forbidden = importsOf(file).filter(target => partOf(target) !== part && !allowed?.includes(partOf(target)));
    expect(forbidden).toEqual([]);
  });
});

it('every allowed import is used', () => {
  const used = new Set(inFolders.flatMap(file => importsOf(file).map(target => `${partOf(file)} → ${partOf(target)}`)));
  const allowed = Object.entries(MAY_IMPORT).flatMap(([part, others]) => others.map(other => `${part} → ${other}`));
  expect(allowed.filter(way => !used.has(way))).toEqual([]);
});

it('imports go one way: none leads back to the folder it came from', () => {
  const reach = (part: string, seen = new Set<string>()): Set<string> => {
    for (const next of MAY_IMPORT[part] ?? []) if (!seen.has(next)) reach(next, seen.add(next));
    return seen;
  };
  expect(Object.keys(MAY_IMPORT).filter(part => reach(part).has(part))).toEqual([]);
});

it('only main.ts reads process.env', () => {
  const readers = files.filter(
    file =>
      file !== 'main.ts' &&
      /process\.env\b/.test(readFileSync(join('src', file), 'utf8').replace(/\/\/.*|\/\*[\s\S]*?\*\//g, '')),
  );
  expect(readers).toEqual([]);
});

/** What is E2B's alone. Settings are named after it, so the files that read them may say it too. */
const OF_E2B = ['e2b/', 'broker/e2b/', 'engine/microvm/', 'guest/prelude/e2b/'];
const READS_SETTINGS = [...ASSEMBLERS, 'config.ts'];

it('E2B is named only in the folders that are about it: another API is another value of src/api.ts', () => {
  const naming = files.filter(
    file =>
      !OF_E2B.some(part => file.startsWith(part)) &&
      !READS_SETTINGS.includes(file) &&
      /e2b/i.test(withoutImports(readFileSync(join('src', file), 'utf8'))),
  );
  expect(naming).toEqual([]);
});

/** Without comments as well. */
const withoutImports = (text: string) =>
  text.replace(/^\s*\/\/.*|\/\*[\s\S]*?\*\/|\s\/\/ .*/gm, '').replace(/^import[\s\S]*? from '.*';$/gm, '');
