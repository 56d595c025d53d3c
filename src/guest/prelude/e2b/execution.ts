// What runCode answers with, as the SDK has it: messages that are text by themselves, and toJSON.
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

/** Option -> kind of event, and what its callback gets. */
export const CODE_CALLBACKS = {
  onStdout: ['stdout', (line: string) => message(line, false)],
  onStderr: ['stderr', (line: string) => message(line, true)],
  onResult: ['result', (result: object) => finishResult(result)],
  onError: ['error'],
} as const;

/** The SDK's time as well: microseconds, from when the line came. */
function message(line: string, error: boolean): object {
  const printed = { line, error, timestamp: Date.now() * 1_000 };
  hide(printed, { toString: () => line });
  return printed;
}
