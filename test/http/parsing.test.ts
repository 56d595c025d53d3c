// The order in which connections are parsed when many have data.
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Arrivals } from '../../src/ground/arrivals.ts';
import { ParsingTurns } from '../../src/http/parsing.ts';

const spin = (ms: number) => {
  const until = performance.now() + ms;
  while (performance.now() < until);
};

/** A connection whose pieces take a whole slice. */
const slow = (address: string, pieces: number) => {
  const connection = {
    address,
    dataKind: 'beginning' as const,
    parsed: 0,
    parse() {
      spin(5);
      connection.parsed += 1;
      return connection.parsed < pieces;
    },
  };
  return connection;
};

const kindOf = (name: string) =>
  name === 'probe' || name.startsWith('rest') ? (name.split(' ', 1)[0] as 'probe' | 'rest') : 'beginning';

/** Parses connections with one or more pieces of a millisecond; resolves with their names in the order of the pieces. */
async function parsed(connections: readonly (readonly [address: string, name: string, pieces: number])[]) {
  const turns = new ParsingTurns(new Arrivals());
  const order: string[] = [];
  turns.enter(slow('busy', 1));
  for (const [address, name, pieces] of connections) {
    let left = pieces;
    const parse = () => {
      spin(1);
      order.push(name);
      left -= 1;
      return left > 0;
    };
    turns.enter({ address, dataKind: kindOf(name), parse });
  }
  expect(order).toEqual([]);
  const all = connections.reduce((sum, [, , pieces]) => sum + pieces, 0);
  while (order.length < all) await turn();
  return order;
}

it('a connection with much data is parsed in turns with others', async () => {
  const order = await parsed([
    ['10.0.0.1', 'much', 20],
    ['10.0.0.1', 'little', 1],
  ]);
  expect(order.indexOf('little')).toBe(1);
});

it('an address with many connections takes turns with one that has few', async () => {
  const many = Array.from({ length: 30 }, (_, i) => ['10.0.0.1', `many ${i}`, 2] as const);
  const order = await parsed([...many, ['10.0.0.2', 'few', 1]]);
  expect(order.indexOf('few')).toBe(1);
});

it('the event loop gets control between pieces, and connections that arrive are accepted first', async () => {
  const arrivals = new Arrivals();
  const turns = new ParsingTurns(arrivals);
  const connection = slow('10.0.0.1', 3);
  arrivals.arrived();
  turns.enter(connection);
  await turn();
  expect(connection.parsed).toBe(0);
  for (let passed = 0; connection.parsed < 3; passed++) {
    await turn();
    expect(connection.parsed).toBeLessThanOrEqual(passed + 1);
  }
});

it('connections that never stop arriving do not keep others from being parsed', async () => {
  const arrivals = new Arrivals();
  const turns = new ParsingTurns(arrivals);
  const connection = slow('10.0.0.1', 3);
  turns.enter(connection);
  while (connection.parsed < 3) {
    arrivals.arrived();
    await turn();
  }
});

it('health checks and beginnings of requests do not wait for the long rest of others', async () => {
  const order = await parsed([
    ...Array.from({ length: 20 }, (_, i) => ['10.0.0.1', `rest ${i}`, 2] as const),
    ['10.0.0.1', 'beginning', 1],
    ['10.0.0.1', 'probe', 1],
  ]);
  expect(order.slice(0, 3).sort()).toEqual(['beginning', 'probe', 'rest 0']);
});

it('connections end one per turn of the event loop', async () => {
  const turns = new ParsingTurns(new Arrivals());
  const ended: string[] = [];
  for (const name of ['a', 'b', 'c']) turns.end(() => ended.push(name));
  const seen = [ended.length];
  for (let i = 0; i < 3; i++) {
    await turn();
    seen.push(ended.length);
  }
  expect(seen).toEqual([0, 1, 2, 3]);
});
