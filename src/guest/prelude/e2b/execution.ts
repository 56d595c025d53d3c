// What runCode answers with, as the SDK has it: messages that are text by themselves, and toJSON.
import { hide } from './calls.ts';

export type Execution = {
  readonly results: object[];
  readonly logs: { readonly stdout: string[]; readonly stderr: string[] };
  readonly error?: object;
};
export type CodeListeners = Partial<
  Record<'onStdout' | 'onStderr' | 'onResult' | 'onError', (event: unknown) => unknown>
>;

export const CODE_CALLBACKS = ['onStdout', 'onStderr', 'onResult', 'onError'];
const FORMATS = ['html', 'markdown', 'svg', 'png', 'jpeg', 'pdf', 'latex', 'json', 'javascript', 'data', 'chart'];

export function finishExecution(execution: Execution): Execution {
  for (const result of execution.results)
    hide(result, { formats: () => FORMATS.filter(name => name in result), toJSON: () => ({ ...result }) });
  hide(execution, { toJSON: () => ({ ...execution }) });
  return execution;
}

/** Without a time: when the code printed it is not known here. */
function message(line: string, error: boolean): object {
  const said = { line, error };
  hide(said, { toString: () => line });
  return said;
}

export async function tellListeners(listeners: CodeListeners, { logs, results, error }: Execution): Promise<void> {
  const { onStdout, onStderr, onResult, onError } = listeners;
  for (const line of logs.stdout) await onStdout?.(message(line, false));
  for (const line of logs.stderr) await onStderr?.(message(line, true));
  for (const result of results) await onResult?.(result);
  if (error !== undefined) await onError?.(error);
}
