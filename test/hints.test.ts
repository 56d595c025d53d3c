// What an agent is told about its commonest mistakes: a client, the gateway, the engine, local mode. Each advice must be
// there, and none that is wrong.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect, type TestClient } from './support/clients.ts';
import { newKey, startTestGateway, type TestGateway } from './support/gateway.ts';

let gateway: TestGateway;
let client: TestClient;
beforeAll(async () => {
  gateway = await startTestGateway();
  client = await connect(gateway.mcpUrl, newKey());
});
afterAll(async () => {
  await client.close();
  await gateway.close();
});

type Told = {
  readonly code: string;
  readonly tool?: 'search' | 'execute_read' | 'execute_write';
  readonly says: readonly (string | RegExp)[];
  readonly not?: readonly (string | RegExp)[];
};

async function expectTold({ code, tool = 'execute_write', says, not = [] }: Told): Promise<void> {
  const { text } = await client.call(tool, code);
  for (const part of says) expect(text).toMatch(part);
  for (const part of not) expect(text).not.toMatch(part);
}

const SANDBOX = 'const s = await Sandbox.create();\n';

it.each<[what: string, told: Told]>([
  [
    "fetch of a sandbox's server",
    {
      code: `async () => { ${SANDBOX} return (await fetch(\`https://\${s.getHost(3000)}\`)).status }`,
      says: ['sbx.fetch(port, path)', 'curl', 'api.request({ method'],
      not: ['Globals:'],
    },
  ],
  [
    'fetch in search',
    { tool: 'search', code: `async () => fetch('x')`, says: ['find(query)'], not: ['sbx.fetch', 'Globals:'] },
  ],
  ['require', { code: `async () => require('fs')`, says: ['api, Sandbox and display are globals'], not: ['Hint:'] }],
  ['CodeInterpreter', { code: 'async () => CodeInterpreter.create()', says: ['Use Sandbox'], not: ['Globals:'] }],
  ['a name that is nowhere', { code: 'async () => zork', says: ['Globals: api'] }],
])('names that are not there: %s', (_, told) => expectTold(told));
