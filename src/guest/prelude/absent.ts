// Names models reach for that do not exist here. They are truly absent (`typeof fetch` is "undefined", so feature tests
// work); what to use instead is added to the ReferenceError on its way out.
import { insteadOf } from '../absent.ts';
import * as is from './intrinsics.ts';

const SUFFIX = ' is not defined';

const inSearch = (): boolean => is.getOwnPropertyDescriptor(globalThis, 'api') === undefined;

/** What is explained already has more behind it. */
export function explainAbsent(errorName: string, message: string): string {
  const end = message.length - SUFFIX.length;
  if (errorName !== 'ReferenceError' || end < 1 || is.slice(message, end, message.length) !== SUFFIX) return message;
  const instead = insteadOf(is.slice(message, 0, end), inSearch() ? 'search' : 'write');
  return instead === undefined ? message : `${message}. ${instead}`;
}
