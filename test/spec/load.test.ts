import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { EFFECTS } from '../../src/spec/description.ts';
import { loadDescription } from '../../src/spec/load.ts';

const description = await loadDescription('openapi/e2b.yaml');
const ids = description.operations.map(({ id }) => id);

describe('our description of E2B', () => {
  it('contains every operation that an API key may call, and none that the guard refuses', () => {
    expect(ids).toHaveLength(48);
    expect(ids).toEqual(
      expect.arrayContaining(['POST /v2/sandboxes', 'POST /v2/sandboxes/{sandboxID}/connect', 'GET /health']),
    );
    expect(ids.filter(id => /teams|secrets|api-keys|access-tokens|admin|nodes/.test(id))).toEqual([]);
  });

  it('has summary, keywords and responses for each operation', () => {
    for (const { id, summary, keywords, answers } of description.operations) {
      expect(summary, id).toMatch(/^[A-Z].{10,}/);
      expect(keywords.length, id).toBeGreaterThan(0);
      expect(Object.keys(answers).length, id).toBeGreaterThan(0);
    }
  });

  it('states the effect of every operation, and of no write that of a read', () => {
    for (const { id, method, effect, resource } of description.operations) {
      expect(EFFECTS, `${id} has no x-effect`).toContain(effect);
      expect(effect === 'none' || effect === 'lists', id).toBe(method === 'GET');
      if (effect !== 'none') expect(resource, `${id} has no x-resource`).toMatch(/^[a-z]+$/);
      if (method === 'DELETE') expect(effect, id).toBe('ends');
    }
  });

  it('names the replacement of each deprecated operation', () => {
    const deprecated = description.operations.filter(operation => operation.deprecated);
    expect(deprecated.length).toBeGreaterThan(5);
    for (const { id, description: text = '' } of deprecated) {
      const [replacement] = /[A-Z]+ \/\S+[^.\s]/.exec(text.replace(/[.,](\s|$)/g, ' ')) ?? [];
      expect(ids, `${id} → ${replacement}`).toContain(replacement);
    }
  });

  it('marks every secret field', () => {
    const marked = new Set<string>();
    const walk = (node: unknown, name: string) => {
      if (typeof node !== 'object' || node === null) return;
      if ((node as Record<string, unknown>)['x-secret'] === true) marked.add(name);
      for (const [key, child] of Object.entries(node)) walk(child, key);
    };
    walk(description.operations, '');
    expect([...marked].sort()).toEqual([
      'awsAccessKeyId',
      'awsSecretAccessKey',
      'envdAccessToken',
      'headers',
      'password',
      'serviceAccountJson',
      'signatureSecret',
      'token',
      'trafficAccessToken',
      'url',
      'username',
    ]);
  });

  it('is the same when compiled by the build and when parsed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'spec-'));
    for (const file of ['e2b.yaml', 'e2b.capabilities.yaml'])
      await writeFile(
        join(folder, file),
        `${await readFile(`openapi/${file}`, 'utf8')}\n# not the text that was compiled\n`,
      );
    expect(await loadDescription(join(folder, 'e2b.yaml'))).toEqual(description);
    await rm(folder, { recursive: true });
  });

  it('is parsed again if it was edited after the build', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'spec-'));
    const text = await readFile('openapi/e2b.yaml', 'utf8');
    await writeFile(join(folder, 'e2b.yaml'), text.replace(/^ {2}title: .*$/m, '  title: Edited'));
    expect((await loadDescription(join(folder, 'e2b.yaml'))).title).toBe('Edited');
    await rm(folder, { recursive: true });
  });

  it('is small enough for the guest', () => {
    expect(JSON.stringify(description).length).toBeLessThan(120_000);
    expect(JSON.parse(JSON.stringify(description))).toEqual(description);
  });

  it('describes the Sandbox methods of both modes', () => {
    const modes = new Map(description.capabilities.map(({ id, mode }) => [id, mode]));
    expect(modes.get('Sandbox.files.read')).toBe('read');
    expect(modes.get('Sandbox.commands.run')).toBe('write');
    expect(modes.size).toBe(description.capabilities.length);
    for (const { id, mode, effect } of description.capabilities) {
      // In execute_read connect() neither resumes nor extends a sandbox.
      const isRead = effect === 'none' || effect === 'lists' || id === 'Sandbox.connect';
      if (mode === 'read') expect(isRead, `${id}: ${effect}`).toBe(true);
    }
  });
});

describe('a description that is not usable', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'spec-'));
  afterAll(() => rm(folder, { recursive: true }));
  const api = 'openapi: 3.1.0\npaths: { /things: { get: { responses: {} } } }\n';
  const load = async (document: string, sandbox: string) => {
    await writeFile(join(folder, 'api.yaml'), document);
    await writeFile(join(folder, 'api.capabilities.yaml'), sandbox);
    return loadDescription(join(folder, 'api.yaml'));
  };

  it.each([
    ['broken JSON', '{ a: [', 'capabilities: []', /api\.yaml: The description is neither JSON nor YAML/],
    ['broken YAML', 'a: [', 'capabilities: []', /api\.yaml: The description is neither JSON nor YAML/],
    ['not OpenAPI', 'a: 1', 'capabilities: []', /api\.yaml: .*no paths/],
    [
      'an unknown field',
      api,
      'capabilities: [{ id: Sandbox.a, signature: a, summary: a, mode: read, extra: 1 }]',
      /api\.capabilities\.yaml: .*extra/s,
    ],
    [
      'an unknown mode',
      api,
      'capabilities: [{ id: Sandbox.a, signature: a, summary: a, mode: both }]',
      /api\.capabilities\.yaml: .*mode/s,
    ],
    [
      'a method without effect',
      api,
      'capabilities: [{ id: Sandbox.a, signature: a, summary: a, mode: read, resource: a }]',
      /api\.capabilities\.yaml: .*effect/s,
    ],
    [
      'a method twice',
      api,
      'capabilities: [{ id: Sandbox.a, signature: a, summary: a, mode: read, effect: none, resource: a }, { id: Sandbox.a, signature: a, summary: a, mode: read, effect: none, resource: a }]',
      /Sandbox\.a is described twice/,
    ],
  ])('%s causes an error with place and reason', async (_, document, sandbox, message) => {
    await expect(load(document, sandbox)).rejects.toMatchObject({
      code: 'spec_invalid',
      message: expect.stringMatching(message),
    });
  });

  it('a missing file causes an error with its name', async () => {
    await expect(loadDescription(join(folder, 'none.yaml'))).rejects.toMatchObject({
      code: 'spec_invalid',
      message: expect.stringContaining('none.yaml'),
    });
  });
});
