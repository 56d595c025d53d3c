// Folders and the imports between them: imports go one way, no allowed import is unused, and only main.ts reads the
// environment.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Room -> the rooms it may import from, besides itself. `top` are the files right under src/. */
const DOORS: Record<string, readonly string[]> = {
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
const roomOf = (file: string) => file.split('/')[0] ?? file;
const importsOf = (file: string) =>
  [...readFileSync(join('src', file), 'utf8').matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, path]) =>
    normalize(join(dirname(file), path ?? '')),
  );

/** Types included: a circle of types alone is hard to read as well. */
const allImportsOf = (file: string) =>
  [...readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, path]) =>
    normalize(join(dirname(file), path ?? '')),
  );

/** They put the parts together, so they may open any door. */
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
const inRooms = files.filter(file => !ASSEMBLERS.includes(file));

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

it('the folders of local mode import one way, and of src the place of the build, how bodies are read and what its JavaScript shares with the guest’s', () => {
  const local = readdirSync('local', { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.ts'));
  const folderOf = (file: string) => file.split('/')[1] ?? '';
  const doors = new Map<string, Set<string>>();
  const outside: string[] = [];
  for (const file of local.filter(name => name.includes('/'))) {
    const from = folderOf(join('local', file));
    for (const target of allImportsOf(join('local', file))) {
      if (!target.startsWith('local/')) outside.push(target);
      else if (target.split('/').length > 2 && folderOf(target) !== from)
        doors.set(from, (doors.get(from) ?? new Set()).add(folderOf(target)));
    }
  }
  const reach = (folder: string, seen = new Set<string>()): Set<string> => {
    for (const next of doors.get(folder) ?? []) if (!seen.has(next)) reach(next, seen.add(next));
    return seen;
  };
  expect([...doors.keys()].filter(folder => reach(folder).has(folder))).toEqual([]);
  expect([...new Set(outside)].sort()).toEqual([
    'src/ground/built.ts',
    'src/ground/read-capped.ts',
    'src/guest/prelude/buffer.ts',
    'src/guest/prelude/url.ts',
  ]);
});

describe.each(inRooms)('src/%s', file => {
  it('imports only from folders it may import', () => {
    const room = roomOf(file);
    const allowed = DOORS[room];
    expect(allowed, `${room} is not in DOORS`).toBeDefined();
    const forbidden = importsOf(file).filter(target => roomOf(target) !== room && !allowed?.includes(roomOf(target)));
    expect(forbidden).toEqual([]);
  });
});

it('every door is used', () => {
  const used = new Set(inRooms.flatMap(file => importsOf(file).map(target => `${roomOf(file)} → ${roomOf(target)}`)));
  const doors = Object.entries(DOORS).flatMap(([room, others]) => others.map(other => `${room} → ${other}`));
  expect(doors.filter(door => !used.has(door))).toEqual([]);
});

it('doors open one way: no round leads back to a room', () => {
  const reach = (room: string, seen = new Set<string>()): Set<string> => {
    for (const next of DOORS[room] ?? []) if (!seen.has(next)) reach(next, seen.add(next));
    return seen;
  };
  expect(Object.keys(DOORS).filter(room => reach(room).has(room))).toEqual([]);
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

it('no other room says E2B: another API is another value of src/api.ts', () => {
  const saying = files.filter(
    file =>
      !OF_E2B.some(room => file.startsWith(room)) &&
      !READS_SETTINGS.includes(file) &&
      /e2b/i.test(withoutImports(readFileSync(join('src', file), 'utf8'))),
  );
  expect(saying).toEqual([]);
});

/** Without comments as well. */
const withoutImports = (text: string) =>
  text.replace(/^\s*\/\/.*|\/\*[\s\S]*?\*\/|\s\/\/ .*/gm, '').replace(/^import[\s\S]*? from '.*';$/gm, '');
