// The order in which connections are parsed when many have data.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Arrivals } from '../../src/ground/arrivals.ts';
import { oneAtATime, readInPieces } from '../../src/http/connection.ts';
import { type DataKind, type Parsed, ParsingTurns } from '../../src/http/parsing.ts';

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

const kindOf = (name: string): DataKind =>
  /^(?:probe|known|rest)\b/.test(name) ? (name.split(' ', 1)[0] as DataKind) : 'beginning';

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

it('a connection of a known caller does not wait for many of others', async () => {
  const many = Array.from({ length: 30 }, (_, i) => ['10.0.0.1', `new ${i}`, 1] as const);
  const order = await parsed([...many, ['10.0.0.1', 'known', 1]]);
  expect(order.indexOf('known')).toBeLessThanOrEqual(1);
});

it('an address with many connections takes turns with one that has few', async () => {
  const many = Array.from({ length: 30 }, (_, i) => ['10.0.0.1', `many ${i}`, 2] as const);
  const order = await parsed([...many, ['10.0.0.2', 'few', 1]]);
  expect(order.indexOf('few')).toBe(1);
});

it('the event loop gets control between pieces', async () => {
  const turns = new ParsingTurns(new Arrivals());
  const connection = slow('10.0.0.1', 4);
  turns.enter(connection);
  for (let passed = 1; passed < 4; passed++) {
    expect(connection.parsed).toBe(passed);
    await turn();
  }
  expect(connection.parsed).toBe(4);
});

it('connections that arrive are accepted first, until they have had their time', async () => {
  let now = 0;
  const arrivals = new Arrivals(() => now);
  const turns = new ParsingTurns(arrivals);
  const connection = slow('10.0.0.1', 1);
  arrivals.arrived();
  turns.enter(connection);
  const next = () => {
    arrivals.arrived();
    return turn();
  };
  for (now = 0; now < 12; now++) {
    await next();
    expect(connection.parsed).toBe(0);
  }
  await next();
  expect(connection.parsed).toBe(1);
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

it('a request counts as the beginning of one, unless the client sent it before it had the response to the last', async () => {
  const kinds: DataKind[] = [];
  class Noting extends ParsingTurns {
    override enter(connection: Parsed): void {
      kinds.push(connection.dataKind);
      super.enter(connection);
    }
  }
  const server = createServer(oneAtATime((_request, response) => response.end()));
  readInPieces(server, new Noting(new Arrivals()));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', data => (text += data));
  const send = async (request: string, count: number) => {
    const before = responsesIn(text);
    socket.write(request.repeat(count));
    while (responsesIn(text) < before + count) await turn();
  };
  const get = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';
  await send(get, 1);
  await send(get, 1);
  expect(kinds).toEqual(['beginning', 'beginning']);
  await send(get, 3);
  expect(kinds.slice(2)).toEqual(['beginning', 'rest', 'rest']);
  await send(get, 1);
  expect(kinds.slice(5)).toEqual(['beginning']);
  await send('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n', 1);
  expect(kinds.slice(6)).toEqual(['probe']);
  socket.destroy();
  server.close();
});

const responsesIn = (text: string): number => text.split('HTTP/1.1 200').length - 1;
