// Sends calls as a client that can ask a person, and plays the person.
import { SEALED_PREFIX } from '../../../src/e2b/key.ts';
import { newKey } from '../../support/gateway.ts';
import { post, type Target, times } from './send.ts';

const VERSION = '2026-07-28';

type Asked = { readonly result?: { readonly requestState?: string } };

/** Calls execute_write as a client that can ask a person, and that wants approvals. */
export async function ask(target: Target, key: string, code: string, answer: object = {}): Promise<Asked> {
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

/**
 * Gives one answer several times at once. The first continues the run, and each makes the gateway read its state. Returns
 * whether something was asked.
 */
export async function askAndAnswer(target: Target, code: string): Promise<boolean> {
  const key = newKey();
  const { result } = await ask(target, key, code);
  const requestState = result?.requestState;
  if (requestState === undefined) return false;
  const approval = { action: 'accept', content: { decision: 'refuse' } };
  await Promise.all(times(8, () => ask(target, key, code, { requestState, inputResponses: { approval } })));
  return true;
}

/** Sends states that no gateway made, of one key. */
export const falseStates = (state: string, count: number) => (target: Target) => {
  const key = newKey();
  return Promise.all(times(count, () => ask(target, key, 'async () => 1', { requestState: SEALED_PREFIX + state })));
};

/** A state with this head. */
export const headed = (text: string) => `${Buffer.from(text).toString('base64url')}....`;
