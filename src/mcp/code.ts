// Which way the code of a call takes: an engine reads short plain code where it runs it; all else goes to the acceptor
// first, and so does what the engine could not read.
import type { Completed, Failed, Outcome, Suspended } from '../engine/engine.ts';
import { type AcceptedCode, type CodeAsWritten, MAX_PLAIN_CHARS } from '../guest/accept/code.ts';

type Code = AcceptedCode | CodeAsWritten;

/** Longer code, or what is no text at all, an engine is not asked to read. */
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
