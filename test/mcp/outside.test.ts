// Text outside the markers comes from the gateway only: nothing that a guest throws, prints or returns gets there.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { LedgerEntry } from '../../src/broker/ledger.ts';
import type { Display } from '../../src/engine/engine.ts';
import { ERRORS, type ErrorCode } from '../../src/errors.ts';
import { acceptCode } from '../../src/guest/accept/code.ts';
import { formatOutcome } from '../../src/mcp/answer/format.ts';
import type { Effect } from '../../src/spec/description.ts';
import { base64 } from '../support/base64.ts';
import { fuzzRounds } from '../support/fuzz.ts';

const code = acceptCode('async () => { const sbx = await Sandbox.connect(id); await sbx.files.readText(1); x.y() }', {
  maxChars: 1000,
});
const CANARY = 'canary';

type Error = { readonly name: string; readonly message: string; readonly code?: ErrorCode };
type Given = {
  readonly error?: Error;
  readonly ledger?: readonly LedgerEntry[];
  readonly displays?: readonly Display[];
};

/** Returns everything outside the markers: text, and the fields of other blocks. */
function outsideOf({ error, ledger = [], displays = [] }: Given): string {
  const end = error ? { status: 'failed' as const, error: { ...error, line: 1, column: 40, note: CANARY } } : COMPLETED;
  const outcome = {
    ...{ ...end, displays, note: CANARY },
    ...{ stdout: CANARY, stderr: CANARY, droppedLogChars: 0, durationMs: 1, cpuMs: 1 },
  };
  const limits = { maxResultChars: 10_000, maxLogChars: 1_000 };
  const { content } = formatOutcome({ outcome, ledger, code, surface: 'write', requestId: 'r', limits });
  const texts = content.map(block => (block.type === 'text' ? block.text : JSON.stringify(block)));
  return texts.join('\n').replace(/<(untrusted-data-[\w-]+)>[\s\S]*<\/\1>/, '');
}

const COMPLETED = { status: 'completed' as const, json: JSON.stringify(CANARY) };
const outside = (error: Error) => outsideOf({ error });

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

it('the text of an error stays inside the markers, whatever it says', () => {
  fc.assert(
    fc.property(shapes, names, words, (shape, name, text) => {
      expect(outside({ name, message: shape(text) })).not.toContain(CANARY);
    }),
    { numRuns: fuzzRounds(100) },
  );
});

it('a name in the agent’s own code gets a hint', () => {
  expect(outside({ name: 'TypeError', message: 'sbx.files.readText is not a function' })).toContain('Hint: files has');
});

it.each(Object.keys(ERRORS) as ErrorCode[])('the text of the registered error %s stays inside the markers', code => {
  fc.assert(
    fc.property(shapes, names, words, (shape, name, text) => {
      expect(outside({ name, code, message: shape(text) })).not.toContain(CANARY);
    }),
    { numRuns: 20 },
  );
});

const effects = fc.constantFrom<Effect>('none', 'lists', 'creates', 'starts', 'changes', 'stops', 'ends');
const entries = fc.record({
  label: fc.constantFrom('Sandbox.create', 'Sandbox.runCode', `GET /${CANARY}`, `Sandbox.kill ${CANARY}`, CANARY),
  write: fc.boolean(),
  status: fc.constantFrom(200, 201, 404, 'done', 'failed', 'refused', 'unknown'),
  code: fc.constantFrom<ErrorCode>('sandbox_failed', 'cancelled', 'path_refused'),
  act: fc.record({ effect: effects, resource: fc.constantFrom('sandbox', CANARY), id: fc.constant(CANARY) }),
  ended: fc.constantFrom(
    { exitCode: 1, detail: CANARY },
    { error: CANARY, detail: CANARY },
    { httpStatus: 500, detail: CANARY },
  ),
  made: fc.constantFrom([], [CANARY], [CANARY, `${CANARY}-${CANARY}`]),
  untilMs: fc.constantFrom(0, Date.now() + 600_000),
  ms: fc.nat(1_000),
}) as fc.Arbitrary<LedgerEntry>;

it('labels, ids and endings of calls stay inside the markers', () => {
  const thrown = fc.constantFrom(undefined, { name: 'Error', message: `Sandbox ${CANARY} not found: ${CANARY}` });
  fc.assert(
    fc.property(fc.array(entries, { maxLength: 4 }), thrown, (ledger, error) => {
      expect(outsideOf({ ledger, ...(error && { error }) })).not.toContain(CANARY);
    }),
    { numRuns: fuzzRounds(150) },
  );
});

it('media types and text of displays stay inside the markers', () => {
  const mimeType = fc.constantFrom(`${CANARY}/${CANARY}`, `text/${CANARY}`, `text/html;${CANARY}=1`, `a b ${CANARY}/x`);
  const data = fc.constantFrom('', 'AAAA', 'iVBORw0KGgo=');
  fc.assert(
    fc.property(mimeType, data, (mimeType, data) => {
      const displays: Display[] = [
        { kind: 'text', text: CANARY },
        { kind: 'blob', mimeType, base64: base64(data) },
      ];
      expect(outsideOf({ displays })).not.toContain(CANARY);
    }),
  );
});
