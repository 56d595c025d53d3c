// files.write with more data than one call may have: several files, and large ones.
import { describe, expect, it } from 'vitest';
import { useGateway } from '../support/e2e.ts';

// Megabytes in a guest may take more CPU time than the default on a busy machine.
const e2e = useGateway({ env: { GUEST_CPU_MS: '20000' } });
const inSandbox = (code: string) =>
  `async () => { const sbx = await Sandbox.create({ timeoutMs: 120_000 }); try { ${code} } finally { await sbx.kill() } }`;
const run = async (code: string) => {
  const { text, isError } = await e2e.client.call('execute_write', inSandbox(code));
  expect(isError, text).toBe(false);
  return text;
};

describe('files.write', () => {
  it('splits a list of files that is too large for one call, and returns the entries in order', async () => {
    const text = await run(
      `const files = Array.from({ length: 8 }, (_, i) => ({ path: '/tmp/many/' + i, data: i % 2 ? 'é'.repeat(200_000) : new Uint8Array(400_000).fill(i) }));
       const written = await sbx.files.write(files);
       const sizes = (await sbx.files.list('/tmp/many')).map(f => f.size);
       return [written.map(w => w.path).join() === files.map(f => f.path).join(), sizes.every(size => size === 400_000), sizes.length]`,
    );
    expect(text).toContain('[true,true,8]');
  });

  it.each([
    ['text', `'0123456789abcde\\n'.repeat(200_000)`, 3200000],
    ['text with quotes only', `'"'.repeat(1_500_000)`, 1500000],
    ['text of surrogate pairs', `'a' + '\u{1F600}'.repeat(300_000)`, 1200001],
    ['control characters', `'\\u0001'.repeat(300_000)`, 300000],
    ['bytes', 'Uint8Array.from({ length: 1_300_001 }, (_, i) => i * 7 + (i >> 8))', 1300001],
  ])('writes %s of more than a megabyte byte for byte', async (_what, data, bytes) => {
    const text = await run(
      `const data = ${data}; 
       const { path } = await sbx.files.write("/home/user/new dir/it's large", data);
       const { size } = await sbx.files.getInfo(path);
       const back = await sbx.files.read(path, { format: typeof data === 'string' ? 'text' : 'bytes' });
       const same = typeof data === 'string' ? back === data : Buffer.compare(Buffer.from(back), Buffer.from(data)) === 0;
       return [path, size, same, (await sbx.commands.run('ls -A /tmp | grep -c e2b-; true')).stdout.trim()]`,
    );
    expect(text).toContain(`["/home/user/new dir/it's large",${bytes},true,"0"]`);
  });

  it('accepts 16 MB per file, and refuses more with what to do instead', async () => {
    const text = await run(
      `const { path } = await sbx.files.write('/tmp/big', 'line of text\\n'.repeat(1_230_769));
       const more = await sbx.files.write('/tmp/bigger', new Uint8Array(16_000_001)).catch(e => e.message);
       return [(await sbx.files.getInfo(path)).size, more, await sbx.files.exists('/tmp/bigger')]`,
    );
    expect(text).toMatch(
      /\[15999997,"files\.write takes 16 MB a file, and \/tmp\/bigger has more\..*uploadUrl.*",false\]/,
    );
  });
});
