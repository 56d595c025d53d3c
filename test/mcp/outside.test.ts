// Text outside the markers is the gateway's own: nothing that a guest throws, prints or returns gets there.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { acceptCode } from '../../src/guest/accept/code.ts';
import { formatOutcome } from '../../src/mcp/answer/format.ts';

const code = acceptCode('async () => { const sbx = await Sandbox.connect(id); await sbx.files.readText(1); x.y() }', {
  maxChars: 1000,
});
const CANARY = 'canary';

function outside(error: { name: string; message: string }): string {
  const outcome = {
    ...{ status: 'failed' as const, error: { ...error, line: 1, column: 40 } },
    ...{ stdout: CANARY, stderr: CANARY, droppedLogChars: 0, displays: [], durationMs: 1, cpuMs: 1 },
  };
  const limits = { maxResultChars: 10_000, maxLogChars: 1_000 };
  const { content } = formatOutcome({ outcome, ledger: [], code, surface: 'write', requestId: 'r', limits });
  const text = content[0]?.type === 'text' ? content[0].text : '';
  return text.replace(/<(untrusted-data-[\w-]+)>[\s\S]*<\/\1>/, '');
}

const shapes = fc.constantFrom(
  (text: string) => `${text} is not a function`,
  (text: string) => `${text}.output is not a function`,
  (text: string) => `${text} is not async iterable`,
  (text: string) => `sbx.${text} is not a function`,
  (text: string) => `${text} is not defined`,
  (text: string) => `Cannot read properties of undefined (reading '${text}')`,
  (text: string) => `${text} is not iterable`,
  (text: string) => `${text}`,
);
const names = fc.constantFrom('TypeError', 'ReferenceError', 'SyntaxError', 'GatewayError', CANARY);
const words = fc.stringMatching(/^[\w $.()[\]…]{0,20}$/).map(text => `${text}${CANARY}${text}`);

it('no text of an error gets outside the markers, however it is worded', () => {
  fc.assert(
    fc.property(shapes, names, words, (shape, name, text) => {
      expect(outside({ name, message: shape(text) })).not.toContain(CANARY);
    }),
    { numRuns: 300 },
  );
});

it('a name in the agent’s own code gets a hint', () => {
  expect(outside({ name: 'TypeError', message: 'sbx.files.readText is not a function' })).toContain('Hint: files has');
});
