// The order in which requests start when many arrive together.
import { expect, it } from 'vitest';
import { HostTurns } from '../../src/ground/host-turns.ts';
import { RequestTurns } from '../../src/http/turns.ts';

const spin = (ms: number) => {
  const until = performance.now() + ms;
  while (performance.now() < until);
};

/** Sends waiting requests, each from an address with a key; resolves with the order in which they start. */
async function begun(
  requests: readonly (readonly [address: string, key: string, isPipelined?: boolean])[],
): Promise<string[]> {
  const host = new HostTurns();
  const turns = new RequestTurns(host);
  const order: string[] = [];
  // The main thread is busy when they arrive.
  await host.take({ principalId: 'busy', name: 'busy' }, () => spin(5));
  expect(turns.isFree).toBe(false);
  await Promise.all(
    requests.map(async ([address, key, isPipelined = false]) => {
      await turns.pass({ socket: { remoteAddress: address, isPipelined } as never }, key);
      order.push(`${address} ${key}`);
      spin(1);
    }),
  );
  return order;
}

it('an address that sends each request with a new key gets no more turns than one key', async () => {
  const many = Array.from({ length: 50 }, (_, i) => ['10.0.0.1', `key ${i}`] as const);
  const order = await begun([...many, ['10.0.0.2', 'a key']]);
  expect(order).toHaveLength(51);
  expect(order.indexOf('10.0.0.2 a key')).toBeLessThanOrEqual(2);
});

it('a network of IPv6 addresses gets no more turns than one address', async () => {
  const many = Array.from({ length: 50 }, (_, i) => [`2001:db8::${i.toString(16)}`, `key ${i}`] as const);
  const order = await begun([...many, ['2001:db8:1::1', 'a key']]);
  expect(order.indexOf('2001:db8:1::1 a key')).toBeLessThanOrEqual(2);
});

it('keys behind one proxy take turns', async () => {
  const many = Array.from({ length: 50 }, () => ['10.0.0.1', 'many'] as const);
  const order = await begun([...many, ['10.0.0.1', 'one']]);
  expect(order.indexOf('10.0.0.1 one')).toBeLessThanOrEqual(2);
});

it('pipelined requests get no more turns than one key, whatever keys they have', async () => {
  const many = Array.from({ length: 50 }, (_, i) => ['10.0.0.1', `key ${i}`, true] as const);
  const order = await begun([...many, ['10.0.0.1', 'one']]);
  expect(order.indexOf('10.0.0.1 one')).toBeLessThanOrEqual(2);
});

it('a connection is of a known caller when its last request was not the first of that key', async () => {
  const turns = new RequestTurns(new HostTurns());
  const socket = { remoteAddress: '10.0.0.1', isPipelined: false, isOfKnownCaller: false };
  const seen: boolean[] = [];
  for (const key of ['a', 'a', 'b']) {
    await turns.pass({ socket: socket as never }, key);
    seen.push(socket.isOfKnownCaller);
    await new Promise(resolve => setImmediate(resolve));
  }
  expect(seen).toEqual([false, true, false]);
});
