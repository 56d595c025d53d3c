// `pnpm demo`: local mode and the gateway on free ports, a real MCP client, and the calls a newcomer would make.
// It exits with 1 if a call does not return what is expected.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, type ContentBlock, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { startLocal } from '../local/start.ts';
import { parseConfig } from '../src/config.ts';
import { E2B } from '../src/e2b/api.ts';
import { startGateway } from '../src/gateway.ts';
import { createLogger } from '../src/log.ts';

type Step = { readonly tool: string; readonly title: string; readonly code: string; readonly expect: RegExp };

const STEPS: readonly Step[] = [
  {
    tool: 'search',
    title: 'How are sandboxes created, and how is code run in them?',
    code: `async () => [...find('start a sandbox', { limit: 2 }), ...find('run python', { limit: 2 })]`,
    expect: /Sandbox\.create[\s\S]*Sandbox\.runCode/,
  },
  {
    tool: 'execute_write',
    title: 'Create three sandboxes at once.',
    code: `async () => {
  const colours = ['red', 'green', 'blue'];
  const made = await Promise.all(colours.map(colour => Sandbox.create({ timeoutMs: 300_000, metadata: { colour } })));
  return made.map(sandbox => sandbox.sandboxId);
}`,
    expect: /\["i[a-z0-9]+(","i[a-z0-9]+){2}"\]/,
  },
  {
    tool: 'execute_read',
    title: 'List what runs, only the fields of interest.',
    code: `async () => (await Sandbox.list()).map(({ sandboxId, state, metadata }) => \`\${sandboxId} \${state} \${metadata.colour}\`)`,
    expect: /running blue/,
  },
  {
    tool: 'execute_write',
    title: 'Write a file, let Python read it and draw its numbers, look at the picture.',
    code: `async () => {
  const [sandbox] = await Sandbox.list();
  const box = await Sandbox.connect(sandbox.sandboxId);
  await box.files.write('/home/user/numbers.txt', '3 1 4 1 5 9 2 6');
  const { text, results, error } = await box.runCode(\`
import struct, zlib

class Bars:
    def __init__(self, values, size=16):
        self.values, self.size = values, size
    def _repr_png_(self):
        width, height = len(self.values) * self.size, max(self.values) * self.size
        rows = [bytes([0]) + b''.join(bytes([40, 90, 200] if (height - y) <= v * self.size else [255] * 3) * (self.size - 2) + bytes([255] * 6) for v in self.values) for y in range(height)]
        chunk = lambda kind, data: struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
        return bytes([137]) + b'PNG' + bytes([13, 10, 26, 10]) + chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)) + chunk(b'IDAT', zlib.compress(b''.join(rows))) + chunk(b'IEND', b'')

numbers = [int(n) for n in open('/home/user/numbers.txt').read().split()]
print('sum', sum(numbers))
Bars(numbers)\`);
  if (error) return error;
  display(results[0]);
  return { drawn: results.length };
}`,
    expect: /"drawn":\s*1[\s\S]*\[image image\/png/,
  },
  {
    tool: 'execute_write',
    title: 'Kill them all.',
    code: `async () => {
  const killed = await Promise.all((await Sandbox.list()).map(({ sandboxId }) => Sandbox.kill(sandboxId)));
  return { killed: killed.length };
}`,
    expect: /"killed":\s*3/,
  },
];

const config = parseConfig({ PORT: '0', LOG_LEVEL: 'warn' });
const log = createLogger({ level: config.LOG_LEVEL, format: 'pretty', maskKeys: E2B.key.mask });
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
  failed === 0
    ? 'All calls returned what was expected.'
    : `${failed} of ${STEPS.length} calls did not return what was expected.`,
);
process.exitCode = failed === 0 ? 0 : 1;

async function show(number: number, { tool, title, code, expect }: Step): Promise<0 | 1> {
  console.log(`\n── ${number}. ${tool}: ${title}\n\n${code}\n`);
  const { content, isError } = await client.callTool({ name: tool, arguments: { code } });
  const text = content.map(shown).join('\n');
  console.log(text.replace(/^/gm, '   '));
  return !isError && expect.test(text) ? 0 : 1;
}

function shown(block: ContentBlock): string {
  if (block.type === 'text') return block.text;
  if (block.type !== 'image') return `[${block.type}]`;
  const file = join(mkdtempSync(join(tmpdir(), 'e2b-demo-')), 'picture.png');
  writeFileSync(file, Buffer.from(block.data, 'base64'));
  return `[image ${block.mimeType}: ${file}]`;
}
