// What an engine's worker reads by itself: plain JavaScript in a form that is accepted as it is. All else, what is to be
// refused too, is for the acceptor's threads. See MAX_PLAIN_CHARS for what may be read here.
import { acceptCode, MAX_PLAIN_CHARS } from './code.ts';

export function readCode(text: string): string | undefined {
  try {
    const { source, text: own } = acceptCode(text, { maxChars: MAX_PLAIN_CHARS });
    return own === text ? source : undefined;
  } catch {
    return undefined;
  }
}
