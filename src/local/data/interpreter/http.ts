// The code interpreter's HTTP. Not here yet.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendText } from '../answers.ts';
import type { DataMachine } from '../machine.ts';

export async function answerInterpreter(
  _machine: DataMachine,
  _url: URL,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  req.resume();
  sendText(res, 501, 'The code interpreter is not built yet');
}
