import { describe, expect, it } from 'vitest';
import { loadDescription } from '../../src/spec/load.ts';
import { createSearch } from '../../src/spec/search.ts';
import { QUERIES } from './queries.ts';

const description = await loadDescription('openapi/e2b.yaml');
const search = createSearch(description);

describe('find', () => {
  it.each(QUERIES)('%s → %s', (query, wanted) => {
    const found = search.find(query, { limit: 3 }).map(({ operation }) => operation);
    expect(found).toContain(wanted);
  });

  it('returns operation, summary and score, best first, ten by default', () => {
    const found = search.find('sandbox');
    expect(found).toHaveLength(10);
    expect(found[0]).toEqual({ operation: expect.any(String), summary: expect.any(String), score: expect.any(Number) });
    expect(found.map(({ score }) => score)).toEqual(found.map(({ score }) => score).sort((a, b) => b - a));
    expect(search.find('sandbox', { limit: 2 })).toEqual(found.slice(0, 2));
  });

  it('ranks current operations before deprecated ones', () => {
    for (const query of [
      'create a sandbox',
      'list sandboxes',
      'sandbox logs',
      'connect',
      'list templates',
      'update template',
    ]) {
      const found = search.find(query, { limit: 50 });
      const lastCurrent = found.findIndex(hit => hit.deprecated);
      const twin = found[lastCurrent];
      expect(
        found.findIndex(hit => !hit.deprecated && hit.operation.includes('/v')),
        `${query}: ${twin?.operation}`,
      ).toBeLessThan(lastCurrent);
    }
  });

  it('ranks an operation first if the query is its path', () => {
    expect(search.find('get /v2/sandboxes/')[0]?.operation).toBe('GET /v2/sandboxes');
    expect(search.find('/volumes', { limit: 2 }).map(({ operation }) => operation)).toEqual([
      'GET /volumes',
      'POST /volumes',
    ]);
  });

  it('returns nothing for words that occur nowhere', () => {
    expect(search.find('zzzzqqqq')).toEqual([]);
    expect(search.find('日本語')).toEqual([]);
  });

  it.each([[undefined], [null], [''], ['  '], [42], [{}], [[]]])('refuses %j as a query and shows how', query => {
    expect(() => search.find(query as string)).toThrow(/find\(\) needs a text.*e\.g\. find\(/);
  });

  it.each([[0], [-1], [1.5], ['3'], [Number.NaN]])('refuses %j as a limit and shows how', limit => {
    expect(() => search.find('logs', { limit: limit as number })).toThrow(/limit is a whole number.*e\.g\. find\(/);
  });
});

describe('spec', () => {
  it('has the form of an OpenAPI document', () => {
    const listed = Object.entries(search.spec.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map(method => `${method.toUpperCase()} ${path}`),
    );
    expect(listed.sort()).toEqual(description.operations.map(({ id }) => id as string).sort());
    const create = search.spec.paths['/v2/sandboxes']?.post;
    expect(create?.requestBody?.content['application/json']?.schema.required).toEqual(['templateID']);
    expect(create?.responses['201']?.content?.['application/json']?.schema.properties).toHaveProperty('sandboxID');
    expect(JSON.stringify(search.spec)).not.toContain('$ref');
  });
});

describe('describe', () => {
  it.each(['GET /teams', 'Desktop', 'pty', 'GET /api-keys', 'watchDir'])('returns that %s is not available', name => {
    expect(search.describe(name)).toMatch(/^not available: .*\n(?:Not here|Never reachable)/);
  });

  it('describes api.request', () => {
    expect(search.describe('api.request')).toContain('api.request({ method, path,');
  });

  it('shows fields, units, defaults, limits, enums, responses, pagination and an example', () => {
    const create = search.describe('POST /v2/sandboxes');
    expect(create).toMatch(/templateID: string/);
    expect(create).toMatch(/timeout\?: int(eger)? = 300 .*[Ss]econds/);
    expect(create).toMatch(/201.*sandboxID/);
    expect(create).toContain("api.request({ method: 'POST', path: '/v2/sandboxes'");
    const list = search.describe('GET /v2/sandboxes');
    expect(list).toMatch(/"running" \| "paused"/);
    expect(list).toMatch(/limit\?: int(eger)? = 100 .*1\.\.100/);
    expect(list).toMatch(/x-next-token/);
  });

  it('is much shorter than the schema', () => {
    let described = 0;
    let schemas = 0;
    for (const [path, methods] of Object.entries(search.spec.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const text = search.describe(`${method} ${path}`);
        expect(text.length, `${method} ${path}`).toBeLessThan(1_700);
        described += text.length;
        schemas += JSON.stringify(operation, null, 2).length;
      }
    }
    expect(described * 5).toBeLessThan(schemas);
    expect(described / description.operations.length).toBeLessThan(550);
  });

  it('never shows secret fields', () => {
    expect(search.describe('POST /v2/sandboxes')).not.toMatch(/AccessToken/);
  });

  it.each([
    'post /v2/sandboxes/',
    'POST  /v2/sandboxes',
    'POST /v2/sandboxes?limit=1',
    { operation: 'POST /v2/sandboxes' },
    { method: 'post', path: '/v2/sandboxes' },
  ])('takes %j', name => {
    expect(search.describe(name as string)).toBe(search.describe('POST /v2/sandboxes'));
  });

  it('accepts ids for the names in a template, and prefers the most literal template', () => {
    expect(search.describe('get /sandboxes/i0abc')).toMatch(/^GET \/sandboxes\/\{sandboxID\} /);
    expect(search.describe('get /sandboxes/metrics')).toMatch(/^GET \/sandboxes\/metrics /);
  });

  it('accepts a path and returns all its methods', () => {
    expect(search.describe('/volumes')).toMatch(/^GET \/volumes [\s\S]*\n\nPOST \/volumes /);
  });

  it('accepts the usual names of Sandbox methods', () => {
    for (const name of [
      'Sandbox.commands.run',
      'sandbox.Commands.Run',
      'sbx.commands.run',
      'commands.run',
      'Sandbox.commands.run(cmd)',
    ]) {
      expect(search.describe(name)).toMatch(/^Sandbox\.commands\.run \(execute_write\)/);
    }
    expect(search.describe('Sandbox')).toMatch(/Sandbox\.create [\s\S]*Sandbox\.files\.read /);
  });

  it('returns the nearest names for an unknown one', () => {
    expect(search.describe('POST /sandbox')).toMatch(
      /Nothing is called "POST \/sandbox"\. Nearest: .*POST \/v2\/sandboxes/,
    );
    expect(search.describe('Sandbox.files.download')).toMatch(/Nearest: .*Sandbox\.files\.read/);
  });

  it.each([[undefined], [null], [''], [7], [{}]])('refuses %j and shows how', name => {
    expect(() => search.describe(name as string)).toThrow(/describe\(\) needs the name.*e\.g\. describe\(/);
  });
});

describe('what an API key cannot use', () => {
  it.each([
    ['billing', /dashboard/],
    ['invoices', /dashboard/],
    ['create an api key', /dashboard/],
    ['rotate secrets', /dashboard/],
    ['invite a team member', /dashboard/],
    ['desktop', /headless browser/],
    ['mouse clicks', /headless browser/],
    ['watch a directory for changes', /inotifywait/],
    ['pty', /sendStdin/],
    ['cluster nodes', /GET \/v2\/sandboxes/],
  ])('is the first hit for %s, with where to find it', (query, place) => {
    const [first] = search.find(query);
    expect(first?.operation).toMatch(/^not available: /);
    expect(first?.summary).toMatch(place);
    expect(search.describe(first?.operation ?? '')).toMatch(place);
  });
});

describe('scores', () => {
  it.each(['gpu', 'kubernetes', 'email', 'weather', 'quarterly revenue', 'timestamp', 'boolean'])(
    'are below 0.9 for %s, which no operation is about',
    query => {
      for (const { score } of search.find(query)) expect(score).toBeLessThan(0.9);
    },
  );
});

it('the recipe for templates names every type of step, and its calls are in the description', () => {
  const recipe = search.describe('recipe: build a template');
  for (const type of ['RUN', 'COPY', 'ENV', 'WORKDIR', 'USER']) expect(recipe).toContain(type);
  for (const [, method = '', path = ''] of recipe.matchAll(/method: '(\w+)', path: [`']([^`']+)/g))
    expect(search.describe(`${method} ${path.replace(/\$\{(\w+)\}/g, '{$1}')}`)).toMatch(/^(?:GET|POST) \//);
});
