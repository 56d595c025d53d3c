// JSON-RPC errors: maps the gateway's errors to numbers, and rewrites the SDK's errors about invalid parameters.
import type { JSONRPCMessage } from '@modelcontextprotocol/server';
import { ERRORS, type GatewayError } from '../errors.ts';
import { isRecord, tryParseJson } from '../ground/json.ts';

const INVALID_PARAMS = -32602;

/** Uses no code from the range that MCP reserves. */
export function rpcCodeOf({ code, fault }: GatewayError): number {
  if (code === 'body_invalid') return -32700;
  if (code === 'params_invalid') return INVALID_PARAMS;
  return fault === 'gateway' ? -32603 : -32600;
}

/** For most methods, the SDK throws zod's issues as JSON in the message of an internal error. */
const LIST_OF_ISSUES = /^(?:Invalid [\w/]+ request: )?(\[\s*\{[\s\S]*\])$/;
/** Limited because paths and messages contain names that the caller chose. */
const MAX_PROBLEM_CHARS = 200;

/** The message, or if it is one of the SDK's errors about parameters, a readable one. */
export function inPlainWords(message: JSONRPCMessage): JSONRPCMessage {
  if (!('error' in message)) return message;
  const [, list] = LIST_OF_ISSUES.exec(message.error.message) ?? [];
  const problem = list === undefined ? undefined : firstProblem(list);
  if (problem === undefined) return message;
  const text = `${ERRORS.params_invalid.message} ${problem.slice(0, MAX_PROBLEM_CHARS)}.`;
  return { ...message, error: { code: INVALID_PARAMS, message: text, data: { code: 'params_invalid' } } };
}

function firstProblem(list: string): string | undefined {
  const [issue] = [tryParseJson(list)].flat();
  if (!isRecord(issue) || typeof issue['message'] !== 'string' || !Array.isArray(issue['path'])) return undefined;
  return `\`${issue['path'].join('.')}\`: ${issue['message'].replace(/^Invalid input: /, '')}`;
}
