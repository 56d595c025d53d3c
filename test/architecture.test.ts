// The rooms and the doors between them: imports go one way, no door stands unused, and only main.ts reads the
// environment.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Room -> the rooms it may import from, besides itself. `top` are the files right under src/. */
const DOORS: Record<string, readonly string[]> = {
  http: ['engine', 'errors.ts', 'log.ts', 'trace.ts'],
  mcp: ['guest', 'engine', 'broker', 'errors.ts', 'log.ts', 'trace.ts'],
  guest: ['engine', 'spec', 'errors.ts'],
  engine: ['sandbox', 'errors.ts'],
  broker: ['engine', 'sandbox', 'upstream', 'errors.ts', 'trace.ts'],
  upstream: ['spec', 'engine', 'errors.ts', 'trace.ts'],
  // The broker and the microVM engine talk to sandboxes over the same wire.
  sandbox: ['errors.ts', 'trace.ts'],
  spec: ['errors.ts'],
  local: [],
  'config.ts': [],
  'errors.ts': [],
  'log.ts': [],
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

/** They put the parts together, so they may open any door. */
const ASSEMBLERS = ['main.ts', 'core.ts', 'engines.ts', 'gateway.ts', 'stdio.ts', 'demo.ts'];
const inRooms = files.filter(file => !ASSEMBLERS.includes(file));

describe.each(inRooms)('src/%s', file => {
  it('imports only from rooms it has a door to', () => {
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
  // What runs inside a local sandbox has a `process` of its own.
  const ownProcess = 'local/data/interpreter/runtime/';
  const readers = files.filter(
    file =>
      file !== 'main.ts' &&
      !file.startsWith(ownProcess) &&
      /process\.env\b/.test(readFileSync(join('src', file), 'utf8').replace(/\/\/.*|\/\*[\s\S]*?\*\//g, '')),
  );
  expect(readers).toEqual([]);
});

it('engines do not know what E2B is, the microVM engine aside', () => {
  const telling = files.filter(
    file =>
      file.startsWith('engine/') &&
      !file.startsWith('engine/e2b/') &&
      /\be2b\b/i.test(readFileSync(join('src', file), 'utf8').replace(/\/\/.*|\/\*[\s\S]*?\*\//g, '')),
  );
  expect(telling).toEqual([]);
});
