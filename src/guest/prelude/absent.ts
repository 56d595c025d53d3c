// Names models reach for that do not exist here. They are truly absent (`typeof fetch` is "undefined", so feature tests
// work); what to use instead is added to the ReferenceError on its way out.
import { INSTEAD, NETWORK, NETWORK_IN_SEARCH } from '../absent.ts';
import * as is from './intrinsics.ts';

const SUFFIX = ' is not defined';

const inSearch = (): boolean => is.getOwnPropertyDescriptor(globalThis, 'api') === undefined;

export function explainAbsent(errorName: string, message: string): string {
  if (errorName !== 'ReferenceError') return message;
  const end = is.indexOf(message, SUFFIX);
  if (end < 1) return message;
  const instead = INSTEAD[is.slice(message, 0, end)];
  if (instead === undefined) return message;
  if (!inSearch()) return `${message}. ${instead}`;
  if (instead === NETWORK) return `${message}. ${NETWORK_IN_SEARCH}`;
  const elsewhere = is.indexOf(instead, 'sbx.') < 0 ? '' : ' Sandboxes are in execute_read and execute_write.';
  return `${message}. ${instead}${elsewhere}`;
}
