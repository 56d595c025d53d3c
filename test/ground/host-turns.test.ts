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

it('lets the event loop turn between the steps of a library that goes on in microtasks, and measures each', async () => {
  const turns = new HostTurns();
  let steps = 0;
  let stepsAtTurn: number | undefined;
  let workedMs = 0;
  setImmediate(() => {
    stepsAtTurn = steps;
  });
  for (; steps < 40; steps++) {
    await turns.pass({ principalId: 'a', name: 'a' }, ms => {
      workedMs += ms;
    });
    spin(1);
  }
  await turns.pass({ principalId: 'a', name: 'a' });
  expect(stepsAtTurn).toBeLessThan(20);
  expect(workedMs).toBeGreaterThanOrEqual(39);
  expect(turns.takeLongest()).toMatchObject({ name: 'a' });
});

it('starts one of those who wait at a time: what follows from it is done before the next', async () => {
  const turns = new HostTurns();
  const order: string[] = [];
  await turns.take({ principalId: 'x', name: 'x' }, () => spin(6));
  await Promise.all(
    ['a', 'b'].map(async name => {
      await turns.pass({ principalId: name, name });
      for (let i = 0; i < 3; i++) {
        order.push(name);
        await null;
      }
    }),
  );
  expect(order.join('')).toBe('aaabbb');
});

it('keeps the async context of whoever asked', async () => {
  const store = new AsyncLocalStorage<string>();
  const turns = new HostTurns();
  const read = (name: string) => store.run(name, () => turns.take({ principalId: name, name }, () => store.getStore()));
  expect((await Promise.all([read('a'), read('b')])).map(({ value }) => value)).toEqual(['a', 'b']);
});

it('lets in who arrives before work goes on, and goes on although they never stop to', async () => {
  const turns = new HostTurns();
  let arrived = 0;
  let arrivedBeforeWork = 0;
  const arrive = () => {
    if (arrivedBeforeWork > 0) return;
    turns.arrivals.arrived();
    arrived++;
    setImmediate(arrive);
  };
  arrive();
  const owner = { principalId: 'a', name: 'a' };
  const first = turns.take(owner, () => spin(8));
  await turns.take(owner, () => {
    arrivedBeforeWork = arrived;
  });
  await first;
  expect(arrivedBeforeWork).toBeGreaterThan(1);
});

it('work that goes on in the turn in which it began does not wait', async () => {
  const turns = new HostTurns();
  const order: string[] = [];
  const owner = { principalId: 'a', name: 'a' };
  const others = () => turns.take({ principalId: 'b', name: 'b' }, () => void order.push('other'));
  await turns.take({ principalId: 'busy', name: 'busy' }, () => spin(5));
  const waiting = [turns.pass(owner).then(() => turns.turn), others(), others()] as const;
  const began = await waiting[0];
  await turns.pass(owner, undefined, began);
  order.push('went on');
  await Promise.all(waiting);
  expect(order[0]).toBe('went on');
});

it('only one goes on without waiting in each turn', async () => {
  const turns = new HostTurns();
  const order: string[] = [];
  await turns.take({ principalId: 'busy', name: 'busy' }, () => spin(5));
  const waiting = turns.take({ principalId: 'b', name: 'b' }, () => void order.push('other'));
  const goOn = (name: string) =>
    turns.pass({ principalId: name, name }, undefined, turns.turn).then(() => void order.push(name));
  await Promise.all([goOn('first'), goOn('second'), waiting]);
  expect(order).toEqual(['first', 'other', 'second']);
});

it('work that goes on in a later turn waits like any other', async () => {
  const turns = new HostTurns();
  const began = turns.turn;
  await turns.take({ principalId: 'busy', name: 'busy' }, () => spin(5));
  const order: string[] = [];
  const first = turns.take({ principalId: 'b', name: 'b' }, () => void order.push('other'));
  await first;
  await turns.pass({ principalId: 'a', name: 'a' }, undefined, began);
  expect(turns.turn).toBeGreaterThan(began);
  expect(order).toEqual(['other']);
});
