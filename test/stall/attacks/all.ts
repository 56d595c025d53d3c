// All attacks, in the order in which they run.
import { ANSWERS } from './answers.ts';
import { APPROVALS } from './approvals.ts';
import type { Attack } from './attack.ts';
import { CALLS } from './calls.ts';
import { CODE } from './code.ts';
import { CONNECTIONS } from './connections.ts';
import { MESSAGES } from './messages.ts';
import { MICROVMS } from './microvms.ts';

export const ATTACKS: readonly Attack[] = [
  ...CALLS,
  ...CODE,
  ...MESSAGES,
  ...CONNECTIONS,
  ...ANSWERS,
  ...APPROVALS,
  ...MICROVMS,
];
