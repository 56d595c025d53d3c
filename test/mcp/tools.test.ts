// What clients are shown: small enough, complete, and every example in it runs.
import { countTokens } from 'gpt-tokenizer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { E2B } from '../../src/e2b/api.ts';
import { createTools } from '../../src/mcp/tools.ts';
import { CLIENTS, connect, type TestClient } from '../support/clients.ts';
import { newKey, startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
let client: TestClient;
beforeAll(async () => {
  gateway = await startTestGateway();
  client = await CLIENTS['sdk v1'](gateway.mcpUrl, newKey());
});
afterAll(async () => {
  await client.close();
  await gateway.close();
});

it('tools/list costs under 1,600 tokens', async () => {
  expect(countTokens(JSON.stringify(await client.listTools()))).toBeLessThan(1_600);
});

it('tells how long one call may take', async () => {
  expect(createTools(E2B, 60_000)[2]?.description).toContain('One call may take 60 s.');
  const patient = await startTestGateway({ env: { RUN_TIMEOUT_MS: '3600000' } });
  const other = await connect(patient.mcpUrl, newKey());
  const { description = '' } = (await other.listTools())[2] ?? {};
  await other.close();
  await patient.close();
  expect(description).toContain('One call may take 3600 s.');
  expect(description.length).toBeLessThan(2_048);
});

describe.each(createTools(E2B, 60_000))('$name', ({ name, surface, description, annotations, title }) => {
  it('has a description that no client cuts', () => {
    expect(description.length).toBeLessThan(2_048);
  });

  it('is annotated for what it may do', () => {
    expect(annotations.title).toBe(title);
    expect(annotations.readOnlyHint).toBe(surface !== 'write');
    expect(annotations.destructiveHint).toBe(surface === 'write');
    expect(annotations.openWorldHint).toBe(surface !== 'search');
  });

  it('arrives at clients as it is written here', async () => {
    const listed = (await client.listTools()).find(tool => tool.name === name);
    expect(listed).toMatchObject({
      description,
      title,
      annotations,
      inputSchema: { type: 'object', required: ['code'] },
    });
  });

  const examples = [...description.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code ?? '');
  it('shows an example', () => {
    expect(examples.length).toBeGreaterThan(0);
  });

  it.each(examples)('runs as shown: %s', async code => {
    const answer = await client.call(name, code);
    expect(answer.isError, answer.text).toBe(false);
  });

  it('declares only globals that exist', async () => {
    const declared = [...description.matchAll(/declare (?:const|function|class) (\w+)/g)].map(
      ([, global]) => global ?? '',
    );
    const answer = await client.call(
      name,
      `async () => ${JSON.stringify(declared)}.filter(name => typeof globalThis[name] === 'undefined')`,
    );
    expect(answer.text).toMatch(/\[\s*\]/);
  });
});
