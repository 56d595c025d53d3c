import { expect, it } from 'vitest';
import { wholeMessages } from '../../src/e2b/messages.ts';
import { mergeOutput } from '../../src/e2b/output-messages.ts';

const framed = (body: unknown, flags = 0): Buffer => {
  const text = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const prefix = Buffer.alloc(5);
  prefix[0] = flags;
  prefix.writeUInt32BE(text.length, 1);
  return Buffer.concat([prefix, text]);
};
const output = (stream: string, text: string | Buffer) =>
  framed({ event: { data: { [stream]: Buffer.from(text).toString('base64') } } });
const KEEPALIVE = framed({ event: { keepalive: {} } });

/** The messages as a client reads them: `stdout x`, or the unchanged body. */
function read(messages: readonly Uint8Array[]): string[] {
  const split = wholeMessages(1_000_000, () => new Error('too large'));
  const bodies = [...split(Buffer.concat(messages))].map(message => Buffer.from(message.subarray(5)).toString());
  return bodies.map(body => {
    const found = /^\{"event":\{"data":\{"(\w+)":"([^"]*)"\}\}\}$/.exec(body);
    return found === null ? body : `${found[1]} ${Buffer.from(found[2] ?? '', 'base64')}`;
  });
}

it('pieces of one stream become one message, in order, without breaking characters that are in two pieces', () => {
  const euro = Buffer.from('€');
  const messages = [
    ...[output('stdout', 'a'), output('stdout', euro.subarray(0, 1)), output('stdout', euro.subarray(1))],
    ...[output('stderr', 'x'), output('stderr', 'y'), output('stdout', 'b')],
  ];
  expect(read(mergeOutput(messages))).toEqual(['stdout a€', 'stderr xy', 'stdout b']);
});

it('keepalives are left out, and do not split output', () => {
  expect(read(mergeOutput([output('stdout', 'a'), KEEPALIVE, output('stdout', 'b')]))).toEqual(['stdout ab']);
  expect(mergeOutput([KEEPALIVE, KEEPALIVE])).toEqual([]);
});

it.each([
  ['the start', { event: { start: { pid: 7 } } }],
  ['the end', { event: { end: { exitCode: 0 } } }],
  ['output of both streams', { event: { data: { stdout: 'eA==', stderr: 'eA==' } } }],
  ['output that is not base64', { event: { data: { stdout: '*' } } }],
  ['output beside something else', { event: { data: { stdout: 'eA==' } }, more: 1 }],
  ['a terminal', { event: { data: { pty: 'eA==' } } }],
  ['no JSON', '{"event":{"keepalive"'],
  ['nothing', ''],
  ['deep nesting', '['.repeat(4_000)],
])('%s is passed on unchanged, in the same order', (_what, body) => {
  const other = framed(body);
  const merged = mergeOutput([output('stdout', 'a'), other, output('stdout', 'b')]);
  expect(merged).toHaveLength(3);
  expect(Buffer.from(merged[1] ?? [])).toEqual(other);
});

it('compressed and last messages are passed on unchanged', () => {
  const last = framed({ event: { keepalive: {} } }, 2);
  expect(mergeOutput([last])).toEqual([last]);
});
