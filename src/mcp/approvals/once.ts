// Which answers were used, as far as this process knows: the only memory that approvals have without Redis.
import type { Once } from './approvals.ts';

/** Each lives a quarter of an hour at most; no person answers more in that time. */
const MAX_KNOWN = 10_000;

export function onceHere(): Once {
  const used = new Set<string>();
  return async nonce => {
    if (used.has(nonce)) return false;
    used.add(nonce);
    const [oldest] = used;
    if (used.size > MAX_KNOWN && oldest !== undefined) used.delete(oldest);
    return true;
  };
}
