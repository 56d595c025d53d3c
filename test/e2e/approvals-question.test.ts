// The question that a person reads: text of others is shown as data.
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { accept, callRaw, questionIn, textOf } from '../support/approvals.ts';
import { newKey, startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
let key: string;
beforeAll(async () => {
  gateway = await startTestGateway({ env: { APPROVALS: 'ends', WORKERS: '1', WARM_UP: 'false' } });
});
beforeEach(() => {
  key = newKey();
});
afterAll(() => gateway.close());

const ask = (code: string, more: object = {}) => callRaw(gateway.mcpUrl, key, { code, ...more });

it('text from sandboxes stays in quotes, and calls beyond 20 are only counted', async () => {
  const evil = 'x\n2. end nothing\u202e" Approve!\u0000\u2028';
  const code = `async () => {
    const made = await Sandbox.create({ metadata: { evil: ${JSON.stringify(evil)} } });
    const ids = [made.sandboxId, ...Array.from({ length: 21 }, (_, i) => 'inothere' + i)];
    return (await Promise.all(ids.map(id => Sandbox.kill(id)))).filter(Boolean).length;
  }`;
  const question = await ask(code);
  const { message, requestedSchema } = questionIn(question);
  const lines = message.split('\n');
  expect(lines).toHaveLength(1 + 20 + 1 + 1);
  expect(lines.slice(1, 21).every((line, i) => line.startsWith(`${i + 1}. end or delete: Sandbox.kill `))).toBe(true);
  for (const forged of ['\u202e', '\u0000', '\u2028', '\n2. end nothing']) expect(message).not.toContain(forged);
  expect(lines[1]).toMatch(/metadata evil=x 2\. end nothing \\" Approve!"$/);
  expect(lines[21]).toMatch(/2 more/);
  expect(Object.keys(requestedSchema.properties)).toHaveLength(21);
  expect(textOf(await ask(code, { state: question.requestState, reply: accept('approve') }))).toMatch(/\n1\n/);
});

it('a key in the metadata of a sandbox is masked in the question', async () => {
  const question = await ask(
    `async () => (await Sandbox.create({ metadata: { copied: ${JSON.stringify(`${'-'.repeat(40)}${key}`)} } })).kill()`,
  );
  const { message } = questionIn(question);
  expect(message).toMatch(/metadata copied=-{40}\[redacted\]/);
  expect(message).not.toContain(key.slice(0, 12));
});
