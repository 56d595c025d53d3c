// Decides who parses the code of a call. The engine parses short plain code where it runs it; other code goes through
// the acceptor first, and so does code that the engine could not parse.
import type { Completed, Failed, Outcome, Suspended } from '../engine/engine.ts';
import { type AcceptedCode, type CodeAsWritten, MAX_PLAIN_CHARS } from '../guest/accept/code.ts';

type Code = AcceptedCode | CodeAsWritten;

/** Undefined for values that are not text or too long for the engine to parse. */
export const asWritten = (code: unknown): CodeAsWritten | undefined =>
  typeof code === 'string' && code.length <= MAX_PLAIN_CHARS ? { text: code } : undefined;

type Ways = {
  readonly run: (source: string, asWritten: boolean) => Promise<Outcome>;
  /** @throws GatewayError, see CodeAcceptor */
  readonly accept: () => Promise<AcceptedCode>;
};

export async function runCode(
  code: Code,
  { run, accept }: Ways,
): Promise<{ readonly ran: Completed | Failed | Suspended; readonly code: Code }> {
  const first = 'source' in code ? await run(code.source, false) : await run(code.text, true);
  if (first.status !== 'unread') return { ran: first, code };
  const accepted = await accept();
  const second = await run(accepted.source, false);
  if (second.status === 'unread') throw new Error('the engine did not run what was accepted');
  return { ran: second, code: accepted };
}
