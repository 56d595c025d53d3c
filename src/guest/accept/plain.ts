// Accepts code inside an engine's worker: short plain JavaScript (at most MAX_PLAIN_CHARS). Returns undefined for all other
// code, including code that will be refused; the acceptor's threads handle that.
import { acceptCode, MAX_PLAIN_CHARS } from './code.ts';

export function readCode(text: string): string | undefined {
  try {
    const { source, text: own } = acceptCode(text, { maxChars: MAX_PLAIN_CHARS });
    return own === text ? source : undefined;
  } catch {
    return undefined;
  }
}
