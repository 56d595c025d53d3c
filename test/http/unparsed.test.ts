// The limits of data that is not parsed, per connection and for all together.
import { expect, it } from 'vitest';
import { AllUnparsed, Unparsed } from '../../src/http/unparsed.ts';

const PACKET = Buffer.alloc(65_536, 'x');

function open(all: AllUnparsed) {
  const socket = {
    isRead: true,
    pause() {
      this.isRead = false;
    },
    resume() {
      this.isRead = true;
    },
  };
  const unparsed = new Unparsed(socket as never, all);
  const receive = (packets: number) => {
    for (let i = 0; i < packets; i++) unparsed.push(PACKET);
    unparsed.regulate();
  };
  return { socket, unparsed, receive };
}

it('a connection that holds 128 kB is not read until a part is parsed', () => {
  const { socket, unparsed, receive } = open(new AllUnparsed());
  receive(1);
  expect(socket.isRead).toBe(true);
  receive(1);
  expect(socket.isRead).toBe(false);
  unparsed.take(60_000);
  unparsed.regulate();
  expect(socket.isRead).toBe(true);
});

it('packets count more than their bytes, because they may be small', () => {
  const { socket, unparsed } = open(new AllUnparsed());
  for (let i = 0; i < 300; i++) unparsed.push(Buffer.from('x'));
  unparsed.regulate();
  expect(socket.isRead).toBe(false);
});

it('at 16 MB in all, only connections that hold nothing are read, until half of it is parsed', () => {
  const all = new AllUnparsed();
  const idle = open(all);
  const many = Array.from({ length: 300 }, () => open(all));
  for (const { receive } of many) receive(1);
  expect(many.filter(({ socket }) => socket.isRead)).toEqual([]);
  expect(idle.socket.isRead).toBe(true);
  const [first, ...others] = many;
  first?.receive(1);
  for (const { unparsed } of others.slice(0, 100)) unparsed.discard();
  expect(first?.socket.isRead).toBe(false);
  for (const { unparsed } of others.slice(100, 200)) unparsed.close();
  expect(others.slice(200).filter(({ socket }) => !socket.isRead)).toEqual([]);
});

it('data is taken in the order in which it was received', () => {
  const { unparsed } = open(new AllUnparsed());
  unparsed.push(Buffer.from('ab'));
  unparsed.push(Buffer.from('cd'));
  const taken = [1, 5, 5].map(maxBytes => unparsed.take(maxBytes).toString());
  expect(taken).toEqual(['a', 'b', 'cd']);
  expect(unparsed.isEmpty).toBe(true);
});
