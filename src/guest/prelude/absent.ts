// Adds to a ReferenceError what to use instead of the missing global. Such globals are not defined at all, so that feature
// tests work: `typeof fetch` is "undefined".
import { insteadOf } from '../absent.ts';
import * as is from './intrinsics.ts';

const SUFFIX = ' is not defined';

const inSearch = (): boolean => is.getOwnPropertyDescriptor(globalThis, 'api') === undefined;

/** Only for a message that ends with "is not defined": one with more text is explained already. */
export function explainAbsent(errorName: string, message: string): string {
  const end = message.length - SUFFIX.length;
  if (errorName !== 'ReferenceError' || end < 1 || is.slice(message, end, message.length) !== SUFFIX) return message;
  const instead = insteadOf(is.slice(message, 0, end), inSearch() ? 'search' : 'write');
  return instead === undefined ? message : `${message}. ${instead}`;
}
