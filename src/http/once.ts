// Makes each answer to an approval usable once, across all replicas. If Redis fails, the answer is refused, because what it
// approves may delete something.
import type { Redis } from 'ioredis';
import { GatewayError } from '../errors.ts';
import type { Once } from '../mcp/approvals/approvals.ts';

const PREFIX = 'codemode:approval:';

export const onceIn =
  (redis: Redis): Once =>
  async (nonce, lifeSeconds) => {
    try {
      return (await redis.set(PREFIX + nonce, '1', 'EX', lifeSeconds, 'NX')) === 'OK';
    } catch (cause) {
      throw new GatewayError('approval_unchecked', undefined, { cause });
    }
  };
