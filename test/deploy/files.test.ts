// Files that other programs read, compared with what they must agree with.
import { readdirSync, readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseConfig, VARIABLES } from '../../src/config.ts';

const text = (path: string) => readFileSync(path, 'utf8');
const json = (path: string) => JSON.parse(text(path));
const pack = json('package.json') as {
  name: string;
  version: string;
  mcpName: string;
  homepage: string;
  bugs: string;
  repository: { url: string };
  scripts: Record<string, string>;
  engines: { node: string };
};

it('deploy/server.json is valid and describes this package', () => {
  const server = json('deploy/server.json');
  const validate = new Ajv({ strict: true, strictRequired: false, allErrors: true }).compile(
    json('deploy/server.schema.json'),
  );
  validate(server);
  expect(validate.errors).toBe(null);
  expect(validate({ ...server, nmae: 'typo' })).toBe(false);
  expect(server).toMatchObject({ name: pack.mcpName, version: pack.version });
  const [npm] = server.packages;
  expect(npm).toMatchObject({ identifier: pack.name, version: pack.version });
  for (const { name } of npm.environmentVariables) expect(Object.keys(VARIABLES)).toContain(name);
});

it('package.json, the MCP registry and the issue forms name the same repository', () => {
  const repository = pack.mcpName.replace('io.github.', 'https://github.com/');
  expect(pack.repository.url).toBe(`git+${repository}.git`);
  expect(pack.homepage).toBe(`${repository}#readme`);
  expect(pack.bugs).toBe(`${repository}/issues`);
  expect(text('.github/ISSUE_TEMPLATE/config.yml')).toContain(`${repository}/security/`);
});

it('deploy/haproxy.cfg waits longer than a run may take', () => {
  const config = text('deploy/haproxy.cfg');
  for (const side of ['client', 'server']) {
    const seconds = Number(new RegExp(`timeout ${side} (\\d+)s`).exec(config)?.[1]);
    expect(seconds * 1000).toBeGreaterThan(parseConfig({}).RUN_TIMEOUT_MS);
  }
});

it('the Dockerfile names one exact Node, and .dockerignore admits all that it copies', () => {
  const lines = text('Dockerfile').split('\n');
  const bases = lines.filter(line => line.startsWith('FROM ')).map(line => line.split(' ')[1]);
  expect(new Set(bases).size).toBe(1);
  expect(bases[0]).toMatch(/^node:24\.\d+\.\d+-/);
  const admitted = text('.dockerignore')
    .split('\n')
    .filter(line => line.startsWith('!'))
    .map(line => line.slice(1));
  const copied = lines
    .filter(line => line.startsWith('COPY ') && !line.includes('--from='))
    .flatMap(line => line.split(' ').slice(1, -1))
    .map(path => path.replace(/^\.\//, ''));
  expect(copied.filter(path => !admitted.includes(path))).toEqual([]);
});

describe('.github', () => {
  const files = readdirSync('.github', { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.yml'));

  it.each(files)('%s is YAML', file => {
    expect(parse(text(`.github/${file}`))).toBeTypeOf('object');
  });

  it('CI runs every Node that package.json names, from its lowest version', () => {
    const { jobs } = parse(text('.github/workflows/ci.yml'));
    const named = pack.engines.node.split(' || ').map(range => range.replace(/^(?:\^|>=)/, ''));
    const run = (jobs.check.strategy.matrix.node as unknown[]).map(String);
    expect(run).toHaveLength(named.length);
    for (const [index, version] of run.entries()) expect(`${named[index]}.`).toContain(`${version}.`);
  });

  it('every script that a workflow or .ci/run calls exists', () => {
    const called = ['.ci/run', '.github/workflows/ci.yml', '.github/workflows/release.yml'].flatMap(file => [
      ...text(file).matchAll(/(?:pnpm@10|npm run) ([a-z:]+)/g),
    ]);
    expect(called.length).toBeGreaterThan(5);
    for (const [, name = ''] of called) if (name !== 'install') expect(Object.keys(pack.scripts)).toContain(name);
  });
});

it.each(readdirSync('examples/clients'))('examples/clients/%s is what docs/clients.md shows', name => {
  const shown = [...text('docs/clients.md').matchAll(/^```(json|toml)\n([\s\S]*?)^```$/gm)].map(
    ([, kind, block = '']) => (kind === 'json' ? JSON.stringify(JSON.parse(block)) : block),
  );
  const path = `examples/clients/${name}`;
  if (name === 'claude-code.mcp.json') expect(text(path)).toBe(text('.mcp.json'));
  else expect(shown).toContain(name.endsWith('.json') ? JSON.stringify(json(path)) : text(path));
});
