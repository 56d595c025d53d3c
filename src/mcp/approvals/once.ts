// Remembers which answers were used in this process. Used without Redis; otherwise see http/once.ts.
import type { Once } from './approvals.ts';

/** Maximum number of answers remembered. Questions expire after 15 minutes, so more are not expected. */
const MAX_KNOWN = 10_000;

export function onceInProcess(): Once {
  const used = new Set<string>();
  return async nonce => {
    if (used.has(nonce)) return false;
    used.add(nonce);
    const [oldest] = used;
    if (used.size > MAX_KNOWN && oldest !== undefined) used.delete(oldest);
    return true;
  };
}
