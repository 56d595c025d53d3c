// Documents that cannot drift: tables in README.md and .env.example are what the code says. `pnpm docs` rewrites them.
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { VARIABLES } from '../src/config.ts';
import { ERRORS } from '../src/errors.ts';
import { TOOLS } from '../src/mcp/tools.ts';
import { examples, table } from './support/sandbox-rows.ts';

const update = process.env['UPDATE_DOCS'] !== undefined;
const cell = (text: string) => text.replaceAll('|', '\\|');

const environmentTable = [
  '| variable | default | what it does |',
  '|---|---|---|',
  ...Object.entries(VARIABLES).map(
    ([name, { about, fallback }]) => `| \`${name}\` | ${fallback === '' ? '' : `\`${fallback}\``} | ${cell(about)} |`,
  ),
].join('\n');

const errorTable = [
  '| code | at fault | HTTP | what it says |',
  '|---|---|---|---|',
  ...Object.entries(ERRORS).map(
    ([code, { fault, status, message }]) => `| \`${code}\` | ${fault} | ${status} | ${cell(message)} |`,
  ),
].join('\n');

const toolTexts = TOOLS.map(
  ({ name, description }) => `<details><summary><code>${name}</code></summary>\n\n${description}\n\n</details>`,
).join('\n\n');

const SECTIONS = {
  environment: environmentTable,
  errors: errorTable,
  tools: toolTexts,
  sandbox: `${table}\n\n${examples}`,
};

describe.each(Object.entries(SECTIONS))('README.md, section %s', (name, wanted) => {
  it('says what the code says (pnpm docs rewrites it)', () => {
    const readme = readFileSync('README.md', 'utf8');
    const [open, close] = [`<!-- ${name}: written by pnpm docs -->`, `<!-- /${name} -->`];
    const [start, end] = [readme.indexOf(open), readme.indexOf(close)];
    expect(start).toBeGreaterThan(-1);
    expect(end).toBeGreaterThan(start);
    const section = `\n\n${wanted}\n\n`;
    if (update) writeFileSync('README.md', readme.slice(0, start + open.length) + section + readme.slice(end));
    else expect(readme.slice(start + open.length, end)).toBe(section);
  });
});

it('.env.example lists every variable with its fallback', () => {
  const wanted = `# Copy to .env and uncomment what you change: node --env-file=.env dist/main.js, or your platform's own way.\n\n${Object.entries(
    VARIABLES,
  )
    .map(([name, { about, fallback }]) => `# ${about}\n# ${name}=${fallback}\n`)
    .join('\n')}`;
  if (update) writeFileSync('.env.example', wanted);
  else expect(readFileSync('.env.example', 'utf8')).toBe(wanted);
});
