import { expect, it } from 'vitest';
import { Places } from '../../src/ground/places.ts';

const signal = new AbortController().signal;
const settled = () => new Promise(resolve => setImmediate(resolve));

function watch(places: Places, principalId: string, order: string[], name: string, from = signal) {
  const taken = places.take(principalId, from);
  taken.then(
    () => order.push(name),
    () => {},
  );
  return taken;
}

it('a principal over its share waits while others enter', async () => {
  const places = new Places({ max: 3, maxPerPrincipal: 2 });
  const order: string[] = [];
  const [first] = ['a1', 'a2', 'a3'].map(name => watch(places, 'a', order, name));
  watch(places, 'b', order, 'b1');
  await settled();
  expect(order).toEqual(['a1', 'a2', 'b1']);
  (await first)?.();
  await settled();
  expect(order).toEqual(['a1', 'a2', 'b1', 'a3']);
});

it('principals that wait take turns, whoever asked more often', async () => {
  const places = new Places({ max: 1, maxPerPrincipal: 1 });
  const order: string[] = [];
  const asked = ['a1', 'a2', 'a3', 'b1', 'b2'].map(name => watch(places, name.slice(0, 1), order, name));
  for (const name of ['a1', 'a2', 'b1', 'a3', 'b2']) {
    await settled();
    expect(order.at(-1)).toBe(name);
    (await asked[['a1', 'a2', 'a3', 'b1', 'b2'].indexOf(name)])?.();
  }
});

it('a place given back twice is free once', async () => {
  const places = new Places({ max: 1, maxPerPrincipal: 1 });
  const leave = await places.take('a', signal);
  leave();
  leave();
  const order: string[] = [];
  watch(places, 'b', order, 'b1');
  watch(places, 'c', order, 'c1');
  await settled();
  expect(order).toEqual(['b1']);
});

it('who leaves while waiting takes no place', async () => {
  const places = new Places({ max: 1, maxPerPrincipal: 1 });
  const leave = await places.take('a', signal);
  const gone = new AbortController();
  const order: string[] = [];
  const waiting = watch(places, 'b', order, 'b1', gone.signal);
  watch(places, 'c', order, 'c1');
  gone.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
  leave();
  await settled();
  expect(order).toEqual(['c1']);
});
