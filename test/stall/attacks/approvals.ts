// Attacks by runs that ask a person for approval, whom the attacker can play.
import { SEALED_PREFIX } from '../../../src/e2b/key.ts';
import { newKey } from '../../support/gateway.ts';
import { HOSTILE, onSandbox } from '../hostile-sandbox.ts';
import { post, type Target, times } from '../support/send.ts';
import type { Attack } from './attack.ts';

const VERSION = '2026-07-28';

type Asked = { readonly result?: { readonly requestState?: string } };

/** Calls execute_write as a client that can ask a person, and that wants approvals. */
async function ask(target: Target, key: string, code: string, answer: object = {}): Promise<Asked> {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': VERSION,
    'io.modelcontextprotocol/clientInfo': { name: 'attacker', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } },
  };
  const params = { name: 'execute_write', arguments: { code }, ...answer, _meta: meta };
  const headers = {
    ...{ 'X-Approvals': 'ends', 'MCP-Protocol-Version': VERSION },
    ...{ 'Mcp-Method': 'tools/call', 'Mcp-Name': 'execute_write' },
  };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
  const text = await post(target, body, { key, headers });
  return text === '' ? {} : (JSON.parse(text) as Asked);
}

/** Gives one answer several times at once. The first continues the run, and each makes the gateway read its state. */
async function askAndAnswer(target: Target, code: string): Promise<void> {
  const key = newKey();
  const { result } = await ask(target, key, code);
  const requestState = result?.requestState;
  if (requestState === undefined) throw new Error('nothing was asked');
  const approval = { action: 'accept', content: { decision: 'refuse' } };
  await Promise.all(times(8, () => ask(target, key, code, { requestState, inputResponses: { approval } })));
}

/** States that are none: with this head, or nothing but dots. */
const falseStates = (state: string) => (target: Target) => {
  const key = newKey();
  return Promise.all(times(16, () => ask(target, key, 'async () => 1', { requestState: SEALED_PREFIX + state })));
};
const headed = (text: string) => `${Buffer.from(text).toString('base64url')}...`;

const reads = (count: number) =>
  onSandbox(
    `Promise.all(Array.from({ length: ${count} }, () => sbx.files.read('/x').then(t => t.length, e => e.code))).then(() => sbx.kill())`,
  );

export const APPROVALS: readonly Attack[] = [
  {
    name: 'runs that are approved and read 8 files of 5 MB, 4 times',
    answers: { ...HOSTILE, '/files': { body: 'x'.repeat(4_900_000) } },
    send: target => Promise.all(times(4, () => ask(target, newKey(), reads(8)))),
  },
  {
    name: '8 answers at once to a run that has read 2 MB and waits for approval',
    answers: { ...HOSTILE, '/files': { body: '"\\\n'.repeat(160_000) } },
    send: target => askAndAnswer(target, reads(2)),
  },
  { name: '16 states whose head has 380,000 levels', send: falseStates(`${headed('['.repeat(380_000))}.`) },
  { name: '16 states of 500,000 dots', send: falseStates('.'.repeat(500_000)) },
];
