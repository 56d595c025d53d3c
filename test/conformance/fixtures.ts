// The suite's tools for results that need input, made of what this gateway has: each is `execute_write` with code that
// ends something, so that what the suite checks are the gateway's own questions and states. Their one question is called
// `approval`; the suite wants a name of its own for each.
import { isRecord } from '../../src/ground/json.ts';

type Params = Record<string, unknown> & { readonly name: string };
type Message = Record<string, unknown> & { readonly params: Params };
type Fixture = { readonly question: string; readonly code: string };

/** What the suite answers approves nothing, so the code is refused and goes on. */
const END = "await Sandbox.kill('ifixture').catch(() => {});";
const once = (question: string): Fixture => ({ question, code: `async () => { ${END} return 'state-ok' }` });

const FIXTURES: Readonly<Record<string, Fixture>> = {
  test_input_required_result_elicitation: once('user_name'),
  test_input_required_result_request_state: once('confirm'),
  test_input_required_result_tampered_state: once('confirm'),
  test_input_required_result_multi_round: { question: 'step', code: `async () => { ${END} ${END} return 'done' }` },
};

const isFixtureCall = (message: unknown): message is Message =>
  isRecord(message) &&
  message['method'] === 'tools/call' &&
  isRecord(message['params']) &&
  Object.hasOwn(FIXTURES, String(message['params']['name']));

const renamed = (map: unknown, from: string, to: string): unknown =>
  isRecord(map)
    ? Object.fromEntries(Object.entries(map).map(([name, value]) => [name === from ? to : name, value]))
    : map;

export type Send = (message: object) => Promise<Record<string, unknown>>;

/**
 * Undefined: no call of such a tool. The suite answers the first of them without the state that it was asked with;
 * to this gateway that is no answer, so the question is asked, and its state added.
 */
export async function callFixture(message: unknown, send: Send): Promise<Record<string, unknown> | undefined> {
  if (!isFixtureCall(message)) return undefined;
  const { name, inputResponses, ...params } = message.params;
  const { question, code } = FIXTURES[name] ?? once('approval');
  const call = { ...message, params: { ...params, name: 'execute_write', arguments: { code } } };
  if (inputResponses === undefined) return asked(await send(call), question);
  const requestState = params['requestState'] ?? stateOf(await send(call));
  const answered = { ...call.params, requestState, inputResponses: renamed(inputResponses, question, 'approval') };
  return asked(await send({ ...call, params: answered }), question);
}

function asked(answer: Record<string, unknown>, question: string): Record<string, unknown> {
  const { result } = answer;
  if (!isRecord(result)) return answer;
  return { ...answer, result: { ...result, inputRequests: renamed(result['inputRequests'], 'approval', question) } };
}

const stateOf = ({ result }: Record<string, unknown>): unknown =>
  isRecord(result) ? result['requestState'] : undefined;
