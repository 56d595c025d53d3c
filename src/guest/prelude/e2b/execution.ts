// The result of runCode, as in the SDK: with toJSON, and messages that convert to text.
import { hide } from './calls.ts';
import { alsoNamed, OF_CODE_ERROR, OF_EXECUTION } from './misnamed.ts';

export type Execution = {
  readonly results: object[];
  readonly logs: { readonly stdout: string[]; readonly stderr: string[] };
  readonly error?: object;
};
const FORMATS = ['html', 'markdown', 'svg', 'png', 'jpeg', 'pdf', 'latex', 'json', 'javascript', 'data', 'chart'];

export function finishExecution(execution: Execution): Execution {
  execution.results.forEach(finishResult);
  hide(execution, { toJSON: () => ({ ...execution }) });
  alsoNamed(execution.error, OF_CODE_ERROR);
  return alsoNamed(execution, OF_EXECUTION);
}

function finishResult<Result extends object>(result: Result): Result {
  hide(result, { formats: () => FORMATS.filter(name => name in result), toJSON: () => ({ ...result }) });
  return result;
}

/** The name of an option -> the kind of event for its callback, and the callback's argument. */
export const CODE_CALLBACKS = {
  onStdout: ['stdout', (line: string) => message(line, false)],
  onStderr: ['stderr', (line: string) => message(line, true)],
  onResult: ['result', (result: object) => finishResult(result)],
  onError: ['error'],
} as const;

/** A line of output as the SDK's message; its timestamp is the time of receipt in microseconds. */
function message(line: string, error: boolean): object {
  const printed = { line, error, timestamp: Date.now() * 1_000 };
  hide(printed, { toString: () => line });
  return printed;
}
