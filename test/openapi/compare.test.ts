import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { report } from '../../openapi/compare.ts';
import { compareFacts } from '../../openapi/facts.ts';
import { slim } from '../../src/spec/slim.ts';

const ours = await readFile('openapi/e2b.yaml', 'utf8');
const theirs = await readFile('openapi/published.yml', 'utf8');

describe('compareFacts', () => {
  const body = (schema: object) => ({ requestBody: { required: true, content: { 'application/json': { schema } } } });
  const described = (operation: object, path = '/a') =>
    slim({ openapi: '3.0.0', paths: { '/same': { get: {} }, [path]: { post: operation } } });
  const places = (a: object, b: object) =>
    compareFacts(described(a), described(b)).map(({ place, ours: mine, theirs }) => [place, mine, theirs]);

  it('is silent about words, order, and how a document writes the same thing', () => {
    const a = {
      summary: 'A',
      ...body({ properties: { a: { type: 'string', nullable: true, description: 'A' }, b: { enum: ['x', 'y'] } } }),
    };
    const b = {
      summary: 'B',
      ...body({ type: 'object', properties: { b: { enum: ['y', 'x'] }, a: { type: ['null', 'string'] } } }),
    };
    expect(places(a, b)).toEqual([]);
  });

  it.each<[string, object, object, [string, unknown, unknown][]]>([
    ['a type', body({ type: 'string' }), body({ type: 'integer' }), [['POST /a body#type', '"string"', '"integer"']]],
    [
      'a default',
      body({ properties: { t: { default: 15 } } }),
      body({ properties: { t: { default: 300 } } }),
      [['POST /a body.t#default', '15', '300']],
    ],
    [
      'an enum',
      body({ properties: { t: { enum: ['a'] } } }),
      body({ properties: { t: { enum: ['a', 'b'] } } }),
      [['POST /a body.t#enum', '["a"]', '["a","b"]']],
    ],
    [
      'what is required',
      body({ properties: { t: {} }, required: ['t'] }),
      body({ properties: { t: {} } }),
      [['POST /a body.t#required', 'true', 'false']],
    ],
    [
      'a field only here, once',
      body({ type: 'object', properties: { t: { properties: { u: {} } } } }),
      body({ type: 'object' }),
      [['POST /a body.t', 'there', undefined]],
    ],
    [
      'a field only there',
      body({ type: 'object' }),
      body({ properties: { t: {} } }),
      [['POST /a body.t', undefined, 'there']],
    ],
    ['a parameter', {}, { parameters: [{ name: 'q', in: 'query' }] }, [['POST /a query.q', undefined, 'there']]],
    [
      'a status',
      { responses: { 200: {} } },
      { responses: { 201: {} } },
      [
        ['POST /a 200', 'there', undefined],
        ['POST /a 201', undefined, 'there'],
      ],
    ],
    [
      'a header',
      { responses: { 200: { headers: { 'X-A': {} } } } },
      { responses: { 200: {} } },
      [['POST /a 200 header x-a', 'there', undefined]],
    ],
    ['deprecation', { deprecated: true }, {}, [['POST /a#deprecated', 'true', 'false']]],
  ])('sees %s', (_, a, b, expected) => {
    expect(places(a, b)).toEqual(expected);
  });

  it('sees operations only one side has', () => {
    expect(compareFacts(described({}), described({}, '/b')).map(({ place }) => place)).toEqual(['POST /a', 'POST /b']);
  });
});

describe('report', () => {
  it('finds nothing where there is nothing', async () => {
    expect(await report('openapi/e2b.yaml', ours)).toMatchObject({
      unintended: 0,
      lines: [expect.stringContaining('0 differences')],
    });
  });

  it('lists an unknown operation and a changed default, and knows what is intended', async () => {
    const theirs = parse(ours);
    delete theirs.paths['/v2/sandboxes'].post;
    theirs.paths['/brand-new'] = { get: { responses: { 200: { description: '' } } } };
    theirs.components.schemas.NewSandbox.properties.timeout.default = 20;
    const { lines, unintended } = await report('openapi/e2b.yaml', stringify(theirs));
    expect(unintended).toBe(2);
    expect(lines[0]).toContain('DIFFERS   GET /brand-new: only there');
    expect(lines[1]).toContain('DIFFERS   POST /sandboxes body.timeout#default: 15 here, 20 there');
    expect(lines[2]).toContain('intended  POST /v2/sandboxes: only here');
  });
});

it('holds facts of theirs, none of their sentences', () => {
  const words: string[] = [];
  parse(theirs, (key, value) => {
    const isText = typeof value === 'string' && value.split(' ').length > 4;
    if (isText) words.push(`${key}: ${value}`);
    return value;
  });
  expect(words).toEqual([]);
});

describe('the command', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'compare-'));
  afterAll(() => rm(folder, { recursive: true }));
  const run = (command: string, ...args: string[]) => spawnSync(command, args, { encoding: 'utf8' });

  it('compares with the published description of this repository, and needs it', async () => {
    expect(run('npm', 'run', '--silent', 'openapi:compare')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(' there; 0 differences, '),
    });
    await mkdir(join(folder, 'openapi'));
    await cp('openapi/e2b.yaml', join(folder, 'openapi/e2b.yaml'));
    const missing = spawnSync('node', [resolve('dist/openapi/compare.js')], { encoding: 'utf8', cwd: folder });
    expect(missing).toMatchObject({ status: 2, stderr: expect.stringContaining('published.yml') });
  });

  it('exits with 1 on a difference, with 2 when there is nothing to read', async () => {
    const other = join(folder, 'other.yaml');
    await writeFile(other, ours.replace('default: 15', 'default: 16'));
    const built = 'dist/openapi/compare.js';
    expect(run('node', built, other)).toMatchObject({ status: 1, stdout: expect.stringContaining('DIFFERS') });
    expect(run('node', built, join(folder, 'none.yaml'))).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('none.yaml'),
    });
  });
});
