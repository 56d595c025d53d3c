// The rooms and the doors between them, as DESIGN has them: imports go one way, and only main.ts reads the environment.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Room -> the rooms it may import from, besides itself. `top` are the files right under src/. */
const DOORS: Record<string, readonly string[]> = {
  http: ['engine', 'config.ts', 'errors.ts', 'log.ts', 'trace.ts'],
  mcp: ['guest', 'engine', 'broker', 'errors.ts', 'log.ts', 'trace.ts'],
  guest: ['engine', 'spec', 'errors.ts'],
  engine: ['guest', 'sandbox', 'errors.ts', 'log.ts'],
  broker: ['engine', 'sandbox', 'upstream', 'spec', 'errors.ts', 'log.ts', 'trace.ts'],
  upstream: ['spec', 'engine', 'errors.ts', 'log.ts', 'trace.ts'],
  // The broker and the microVM engine talk to sandboxes over the same wire.
  sandbox: ['errors.ts', 'trace.ts'],
  spec: ['errors.ts', 'log.ts'],
  local: ['errors.ts', 'log.ts'],
  'config.ts': ['errors.ts'],
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

describe.each(
  files.filter(file => !['main.ts', 'core.ts', 'engines.ts', 'gateway.ts', 'stdio.ts', 'demo.ts'].includes(file)),
)('src/%s', file => {
  it('imports only from rooms it has a door to', () => {
    const room = roomOf(file);
    const allowed = DOORS[room];
    expect(allowed, `${room} is not in DOORS`).toBeDefined();
    const forbidden = importsOf(file).filter(target => roomOf(target) !== room && !allowed?.includes(roomOf(target)));
    expect(forbidden).toEqual([]);
  });
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
