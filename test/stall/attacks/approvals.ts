// Attacks by runs that ask a person for approval, whom the attacker can play.
import { newKey } from '../../support/gateway.ts';
import { HOSTILE, onSandbox } from '../hostile-sandbox.ts';
import { ask, askAndAnswer, falseStates, headed } from '../support/approvals.ts';
import { times } from '../support/send.ts';
import type { Attack } from './attack.ts';

const reads = (count: number) =>
  onSandbox(
    `Promise.all(Array.from({ length: ${count} }, () => sbx.files.read('/x').then(t => t.length, e => e.code))).then(() => sbx.kill())`,
  );

export const APPROVALS: readonly Attack[] = [
  {
    name: 'runs that are approved and read 8 files of 5 MB, 4 times',
    answers: { ...HOSTILE, '/files': { body: 'x'.repeat(4_900_000) } },
    send: target => Promise.all(times(4, () => ask(target, newKey(), reads(8)))),
  },
  {
    name: '8 answers at once to a run that has read 2 MB and waits for approval',
    answers: { ...HOSTILE, '/files': { body: '"\\\n'.repeat(160_000) } },
    send: async target => {
      if (!(await askAndAnswer(target, reads(2)))) throw new Error('nothing was asked');
    },
  },
  { name: '16 states whose head has 380,000 levels', send: falseStates(headed('['.repeat(380_000)), 16) },
  { name: '16 states of 500,000 dots', send: falseStates('.'.repeat(500_000), 16) },
];
