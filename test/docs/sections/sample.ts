// README's first screen: a call and what it really returned.
import { connect } from '../../support/clients.ts';
import { newKey, startTestGateway } from '../../support/gateway.ts';
import { codeBlock, type Section } from './section.ts';

const CODE = `async () => {
  return Promise.all([1, 2, 3].map(async seed => {
    const sbx = await Sandbox.create({ timeoutMs: 60_000 });
    try {
      const { text } = await sbx.runCode(\`import random; random.seed(\${seed}); sum(random.random() < 0.5 for _ in range(10_000))\`);
      return { seed, heads: Number(text) };
    } finally {
      await sbx.kill();
    }
  }));
}`;

async function run(code: string): Promise<string> {
  const gateway = await startTestGateway();
  const client = await connect(gateway.mcpUrl, newKey());
  const { text, isError } = await client.call('execute_write', code);
  await client.close();
  await gateway.close();
  if (isError) throw new Error(`README's sample failed:\n${text}`);
  return text;
}

export const sample: Section = {
  file: 'README.md',
  name: 'sample',
  text: async () =>
    `${codeBlock('js', CODE)}\n\nThe model receives this, and nothing else:\n\n${codeBlock('text', (await run(CODE)).trim())}`,
  // The three sandboxes are independent, so the order of their calls may differ as well.
  normalise: text =>
    text
      .replace(/data-[0-9a-f-]{36}/g, 'data-UUID')
      .replace(/ i[a-z0-9]{20} → done \(\d+ ms\)/g, ' id → done')
      .replace(/(?:^Sandbox\..*\n)+/gm, calls => calls.split('\n').sort().join('\n')),
};
