import { expect, it } from 'vitest';
import { HostTurns } from '../../src/ground/host-turns.ts';
import { type LoopDelay, watchLoop } from '../../src/ground/loop-watch.ts';

it('reports a delay, and the run that was worked for', async () => {
  const turns = new HostTurns();
  const delays: LoopDelay[] = [];
  const stop = watchLoop(turns, delay => void delays.push(delay));
  await turns.take({ principalId: 'a', name: 'request-1' }, () => {
    const until = performance.now() + 150;
    while (performance.now() < until);
  });
  await expect.poll(() => delays.find(({ work }) => work?.name === 'request-1')).toBeDefined();
  stop();
  expect(Math.max(...delays.map(({ delayMs }) => delayMs))).toBeGreaterThan(100);
});
