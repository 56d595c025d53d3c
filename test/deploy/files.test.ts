// What stands in files for other programs, checked against what it must agree with.
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { expect, it } from 'vitest';
import { parseConfig, VARIABLES } from '../../src/config.ts';

const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const pack = json('package.json') as { name: string; version: string; mcpName: string };

it('deploy/server.json is valid, and tells of this package', () => {
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

it('deploy/haproxy.cfg waits longer than a run may take', () => {
  const config = readFileSync('deploy/haproxy.cfg', 'utf8');
  for (const side of ['client', 'server']) {
    const seconds = Number(new RegExp(`timeout ${side} (\\d+)s`).exec(config)?.[1]);
    expect(seconds * 1000).toBeGreaterThan(parseConfig({}).RUN_TIMEOUT_MS);
  }
});

it('the Dockerfile names one exact Node, and is given what it copies', () => {
  const lines = readFileSync('Dockerfile', 'utf8').split('\n');
  const bases = lines.filter(line => line.startsWith('FROM ')).map(line => line.split(' ')[1]);
  expect(new Set(bases).size).toBe(1);
  expect(bases[0]).toMatch(/^node:24\.\d+\.\d+-/);
  const admitted = readFileSync('.dockerignore', 'utf8')
    .split('\n')
    .filter(line => line.startsWith('!'))
    .map(line => line.slice(1));
  const copied = lines
    .filter(line => line.startsWith('COPY ') && !line.includes('--from='))
    .flatMap(line => line.split(' ').slice(1, -1))
    .map(path => path.replace(/^\.\//, ''));
  expect(copied.filter(path => !admitted.includes(path))).toEqual([]);
});
