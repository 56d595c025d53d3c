// Whose first run waits while the main thread is busy.
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Newcomers } from '../../src/ground/newcomers.ts';

function newcomers() {
  const main = { use: 0 };
  const all = new Newcomers(() => main.use);
  const begun: string[] = [];
  const enter = (principalId: string) => all.enter(principalId).then(() => void begun.push(principalId));
  return { main, begun, enter };
}

it('new callers wait while the main thread is busy, known ones do not', async () => {
  const { main, begun, enter } = newcomers();
  await enter('known');
  main.use = 1;
  const waiting = ['a', 'b', 'c'].map(enter);
  await enter('known');
  await turn();
  expect(begun).toEqual(['known', 'known']);
  main.use = 0;
  await Promise.all(waiting);
  expect(begun).toEqual(['known', 'known', 'a', 'b', 'c']);
  main.use = 1;
  await enter('b');
});

it('a new caller does not pass those that wait', async () => {
  const { main, begun, enter } = newcomers();
  await enter('known');
  main.use = 1;
  const first = enter('first');
  main.use = 0;
  await Promise.all([first, enter('second')]);
  expect(begun).toEqual(['known', 'first', 'second']);
});

it('new callers wait only for a moment, although the main thread stays busy', async () => {
  const { main, begun, enter } = newcomers();
  await enter('known');
  main.use = 1;
  await Promise.all(['a', 'b'].map(enter));
  expect(begun).toEqual(['known', 'a', 'b']);
});

it('the very first caller of a process does not wait', async () => {
  const { main, enter } = newcomers();
  main.use = 1;
  await enter('first');
});
