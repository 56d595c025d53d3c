// Default limits of a run in tests.
import type { BrokerLimits } from '../../src/broker/budget.ts';
import { HostTurns } from '../../src/ground/host-turns.ts';
import { MemoryBudget } from '../../src/ground/memory-budget.ts';

export const BROKER_LIMITS: BrokerLimits = {
  maxCalls: 200,
  maxParallelCalls: 8,
  maxRequestBytes: 1_000_000,
  maxAnswerBytes: 8_000_000,
  maxRunAnswerBytes: 32_000_000,
  maxHostMs: 5_000,
  callTimeoutMs: 45_000,
};

/** Limits that all brokers of a process share. */
export const sharedLimits = () => ({
  turns: new HostTurns(),
  memory: new MemoryBudget({ maxBytes: 160_000_000, maxBytesPerPrincipal: 64_000_000 }),
});
