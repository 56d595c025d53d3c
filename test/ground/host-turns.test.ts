import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, it } from 'vitest';
import { HostTurns } from '../../src/ground/host-turns.ts';

const spin = (ms: number) => {
  const until = performance.now() + ms;
  while (performance.now() < until);
};

it('lets the event loop turn between two long pieces of work of one principal', async () => {
  const turns = new HostTurns();
  const order: string[] = [];
  const work = ['first', 'second'].map(name =>
    turns.take({ principalId: 'a', name }, () => {
      spin(8);
      order.push(name);
      setImmediate(() => order.push(`after ${name}`));
    }),
  );
  await Promise.all(work);
  expect(order.indexOf('after first')).toBeLessThan(order.indexOf('second') + 2);
  expect(order.slice(0, 2)).not.toEqual(['second', 'first']);
});

it('gives another principal the next turn, however much one has queued', async () => {
  const turns = new HostTurns();
  const order: string[] = [];
  const take = (principalId: string) =>
    turns.take({ principalId, name: principalId }, () => {
      order.push(principalId);
      spin(5);
    });
  await Promise.all([...Array.from({ length: 10 }, () => take('many')), take('one')]);
  expect(order.indexOf('one')).toBeLessThanOrEqual(2);
});

it('rejects with what the work throws, and measures it all the same', async () => {
  const turns = new HostTurns();
  const failing = turns.take({ principalId: 'a', name: 'failing' }, () => {
    spin(3);
    throw new Error('on purpose');
  });
  await expect(failing).rejects.toThrow('on purpose');
  expect(turns.takeLongest()).toMatchObject({ name: 'failing', ms: expect.any(Number) });
  expect(turns.takeLongest()).toBeUndefined();
});

it('keeps the async context of whoever asked', async () => {
  const store = new AsyncLocalStorage<string>();
  const turns = new HostTurns();
  const read = (name: string) => store.run(name, () => turns.take({ principalId: name, name }, () => store.getStore()));
  expect((await Promise.all([read('a'), read('b')])).map(({ value }) => value)).toEqual(['a', 'b']);
});
