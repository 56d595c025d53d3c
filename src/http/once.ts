// Which answers to approvals were used, for all replicas. Where Redis does not say, an answer does not count: what it
// approves may end something.
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
