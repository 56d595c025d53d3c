// The list of tools that clients get: small, complete, and with examples that run.
import { countTokens } from 'gpt-tokenizer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseConfig, toolLimitsOf } from '../../src/config.ts';
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

it('tools/list costs under 1,300 tokens without the icons, which models do not see', async () => {
  const tools = (await client.listTools()).map(tool => ({ ...tool, icons: undefined }));
  expect(countTokens(JSON.stringify(tools))).toBeLessThan(1_300);
});

it('names the limits that are set', async () => {
  expect(createTools(E2B, toolLimitsOf(parseConfig({})))[2]?.description).toContain(
    'Limits: call 60 s, CPU 5 s, write 16 MB, read 5 MB, result 30,000 chars.',
  );
  const patient = await startTestGateway({ env: { RUN_TIMEOUT_MS: '3600000', RESPONSE_RESULT_CHARS: '1000000' } });
  const other = await connect(patient.mcpUrl, newKey());
  const { description = '' } = (await other.listTools())[2] ?? {};
  await other.close();
  await patient.close();
  expect(description).toContain('call 3600 s');
  expect(description).toContain('result 1,000,000 chars');
  expect(description.length).toBeLessThanOrEqual(1_024);
});

describe.each(createTools(E2B, toolLimitsOf(parseConfig({}))))(
  '$name',
  ({ name, surface, description, annotations, title }) => {
    it('has a description that is short enough for every client', () => {
      expect(description.length).toBeLessThanOrEqual(1_024);
    });

    it('has annotations that match what it may do', () => {
      expect(annotations.title).toBe(title);
      expect(annotations.readOnlyHint).toBe(surface !== 'write');
      expect(annotations.destructiveHint).toBe(surface === 'write');
      expect(annotations.openWorldHint).toBe(surface !== 'search');
    });

    it('reaches clients unchanged', async () => {
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
  },
);
