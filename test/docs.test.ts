// Documents that repeat what the code says are compared with it. `npm run docs` writes the generated parts.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { VARIABLES } from '../src/config.ts';
import { brokenLinks } from './docs/links.ts';
import { endpoints } from './docs/sections/endpoints.ts';
import { environment } from './docs/sections/environment.ts';
import { errors } from './docs/sections/errors.ts';
import { sample } from './docs/sections/sample.ts';
import { sandbox } from './docs/sections/sandbox.ts';
import { number, tokens } from './docs/sections/tokens.ts';
import { tools } from './docs/sections/tools.ts';

const update = process.env['UPDATE_DOCS'] !== undefined;
const SECTIONS = [number, sample, tools, sandbox, errors, endpoints, environment, tokens];

describe.each(SECTIONS)('$file, section $name', ({ file, name, text, normalise = same => same }) => {
  it('is what the code says (npm run docs writes it)', { timeout: 60_000 }, async () => {
    const wanted = `\n\n${await text()}\n\n`;
    const document = readFileSync(file, 'utf8');
    const [open, close] = [`<!-- ${name}: written by npm run docs -->`, `<!-- /${name} -->`];
    const [start, end] = [document.indexOf(open) + open.length, document.indexOf(close)];
    expect(document).toContain(open);
    expect(end).toBeGreaterThanOrEqual(start);
    const written = document.slice(start, end);
    if (!update) expect(normalise(written)).toBe(normalise(wanted));
    else if (normalise(written) !== normalise(wanted)) {
      writeFileSync(file, document.slice(0, start) + wanted + document.slice(end));
    }
  });
});

it('.env.example lists every variable with its default', () => {
  const entries = Object.entries(VARIABLES).map(([name, { about, fallback }]) => `# ${about}\n# ${name}=${fallback}\n`);
  const wanted = `# Copy to .env and uncomment what you change: node --env-file=.env dist/main.js, or your platform's own way.\n\n${entries.join('\n')}`;
  if (update) writeFileSync('.env.example', wanted);
  else expect(readFileSync('.env.example', 'utf8')).toBe(wanted);
});

const documents = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter(Boolean);

it.each(documents)('%s has no broken relative link', file => {
  expect(brokenLinks(file)).toEqual([]);
});

it('README.md has at most 180 lines', () => {
  expect(readFileSync('README.md', 'utf8').split('\n').length - 1).toBeLessThanOrEqual(180);
});

it('each decision has a number of its own, its three parts, and a line in the index', () => {
  const files = readdirSync('docs/decisions').filter(file => file !== 'README.md');
  const index = readFileSync('docs/decisions/README.md', 'utf8');
  expect(new Set(files.map(file => file.slice(0, 4))).size).toBe(files.length);
  for (const file of files) {
    expect(file).toMatch(/^\d{4}-[a-z0-9-]+\.md$/);
    expect(index).toContain(`(${file})`);
    const headings = readFileSync(`docs/decisions/${file}`, 'utf8').match(/^## .+$/gm);
    expect(headings, file).toEqual(['## Problem', '## Choice', '## Price']);
  }
});

it('what agents meet names tests that exist', () => {
  const file = 'docs/what-agents-meet.md';
  const named = [...readFileSync(file, 'utf8').matchAll(/\]\(\.\.\/(test\/[^)]+)\)((?:,? "[^"]+")+)/g)];
  expect(named.length).toBeGreaterThan(25);
  const missing = named.flatMap(([, path = '', titles = '']) => {
    const source = readFileSync(path, 'utf8');
    return [...titles.matchAll(/"([^"]+)"/g)].flatMap(([, title = '']) =>
      source.includes(title) ? [] : [`${path}: ${title}`],
    );
  });
  expect(missing).toEqual([]);
});
