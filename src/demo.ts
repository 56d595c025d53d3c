// `pnpm demo`: local mode and the gateway on free ports, a real MCP client, and the four calls a newcomer would make.
// It fails (exit 1) when one of them does not do what it shows.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { parseConfig } from './config.ts';
import { startGateway } from './gateway.ts';
import { startLocal } from './local/start.ts';
import { createLogger } from './log.ts';

type Step = { readonly tool: string; readonly title: string; readonly code: string; readonly expect: RegExp };

const STEPS: readonly Step[] = [
  {
    tool: 'search',
    title: 'Which operations are about creating and pausing sandboxes?',
    code: `async () => [...find('start a sandbox', { limit: 2 }), ...find('hibernate a vm', { limit: 2 })]`,
    expect: /POST \/v2\/sandboxes/,
  },
  {
    tool: 'execute_write',
    title: 'Create three sandboxes at once.',
    code: `async () => {
  const answers = await Promise.all(['red', 'green', 'blue'].map(colour =>
    api.request({ method: 'POST', path: '/v2/sandboxes', body: { templateID: 'base', timeout: 300, metadata: { colour } } })));
  return answers.map(({ status, data }) => ({ status, id: data.sandboxID }));
}`,
    expect: /"status":\s*201/,
  },
  {
    tool: 'execute_read',
    title: 'List what runs, only the fields of interest.',
    code: `async () => {
  const { data } = await api.request({ method: 'GET', path: '/v2/sandboxes' });
  return data.map(({ sandboxID, state, metadata }) => \`\${sandboxID} \${state} \${metadata.colour}\`);
}`,
    expect: /running blue/,
  },
  {
    tool: 'execute_write',
    title: 'Kill them all.',
    code: `async () => {
  const { data } = await api.request({ method: 'GET', path: '/v2/sandboxes' });
  const answers = await Promise.all(data.map(({ sandboxID }) => api.request({ method: 'DELETE', path: '/sandboxes/' + sandboxID })));
  return { killed: answers.filter(answer => answer.ok).length };
}`,
    expect: /"killed":\s*3/,
  },
];

const config = parseConfig({ PORT: '0', LOG_LEVEL: 'warn' });
const log = createLogger({ level: config.LOG_LEVEL, format: 'pretty' });
const cloud = await startLocal({ port: 0 });
const gateway = await startGateway({ ...config, apiUrl: cloud.url, E2B_SANDBOX_URL: cloud.url }, log);
const client = new Client({ name: 'demo', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
const apiKey = `e2b_${'0'.repeat(40)}`;
let failed = 0;
try {
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`), {
      requestInit: { headers: { Authorization: `Bearer ${apiKey}` } },
    }),
  );
  for (const [index, step] of STEPS.entries()) failed += await show(index + 1, step);
} finally {
  await client.close();
  await gateway.close();
  await cloud.close();
}
console.log(
  failed === 0 ? 'All four calls did what they show.' : `${failed} of ${STEPS.length} calls did not do what they show.`,
);
process.exitCode = failed === 0 ? 0 : 1;

async function show(number: number, { tool, title, code, expect }: Step): Promise<0 | 1> {
  console.log(`\n── ${number}. ${tool}: ${title}\n\n${code}\n`);
  const { content, isError } = await client.callTool({ name: tool, arguments: { code } });
  const text = content.map(block => (block.type === 'text' ? block.text : `[${block.type}]`)).join('\n');
  console.log(text.replace(/^/gm, '   '));
  return !isError && expect.test(text) ? 0 : 1;
}
