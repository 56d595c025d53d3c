// README's first screen: a call and what it really returned.
import { withClient } from './gateway.ts';
import { codeBlock, type Section } from './section.ts';

const CODE = `async () => {
  return Promise.all(['red', 'green', 'blue'].map(async colour => {
    const sbx = await Sandbox.create({ timeoutMs: 60_000, envs: { COLOUR: colour } });
    try {
      const { stdout } = await sbx.commands.run('echo "$COLOUR" | sha256sum | cut -c 1-8');
      return { colour, hash: stdout.trim() };
    } finally {
      await sbx.kill();
    }
  }));
}`;

async function run(code: string): Promise<string> {
  const { text, isError } = await withClient(async client => {
    await client.call('execute_write', code); // the first call loads what the next ones have
    return client.call('execute_write', code);
  });
  if (isError) throw new Error(`README's sample failed:\n${text}`);
  return text.trim();
}

export const sample: Section = {
  file: 'README.md',
  name: 'sample',
  text: async () =>
    `${codeBlock('js', CODE)}\n\nThe model receives this, and nothing else:\n\n${codeBlock('text', await run(CODE))}`,
  // The three sandboxes are independent, so the order of their calls may differ as well.
  normalise: text =>
    text
      .replace(/data-[0-9a-f-]{36}/g, 'data-UUID')
      .replace(/calls, \d+ ms/g, 'calls, N ms')
      .replace(/ i[a-z0-9]{20} → done \(\d+ ms\)/g, ' id → done')
      .replace(/(?:^Sandbox\..*\n)+/gm, calls => calls.split('\n').sort().join('\n')),
};
