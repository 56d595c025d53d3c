// Attacks by responses of the API and of sandboxes.
import { framed, HOSTILE, onSandbox } from '../hostile-sandbox.ts';
import { post, times, toolCall } from '../support/send.ts';
import { type Attack, execute, requests } from './attack.ts';

const ZEROS = `e2b_${'0'.repeat(40)}`;
const IMAGE = JSON.stringify({ type: 'result', png: 'A'.repeat(400_000), is_main_result: false });
const ALMOST_KEYS = `${'%30'.repeat(39)}%31`.repeat(50_000);

export const ANSWERS: readonly Attack[] = [
  {
    name: '4 answers of the API of 7.8 MB of {}',
    answers: { '/v2/sandboxes': { body: `[${'{},'.repeat(2_600_000)}{}]` } },
    send: execute('execute_read', requests(4, '', `{ path: '/v2/sandboxes' }`)),
  },
  {
    name: 'a sandbox that lists 4 MB of {}, 8 times',
    answers: { ...HOSTILE, '/filesystem.Filesystem/ListDir': { body: `{"entries":[${'{},'.repeat(1_400_000)}{}]}` } },
    send: execute(
      'execute_read',
      onSandbox(`Promise.all(Array.from({ length: 8 }, () => sbx.files.list('/').catch(e => e.code)))`),
    ),
  },
  {
    name: 'files of 5 MB that spell the key with escapes as far as its last digit, 8 times',
    answers: { ...HOSTILE, '/files': { body: ALMOST_KEYS.slice(0, 4_900_000) } },
    send: target => {
      const reads = onSandbox(`Promise.all(Array.from({ length: 8 }, () => sbx.files.read('/x').catch(e => e.code)))`);
      return post(target, toolCall('execute_read', reads), { key: ZEROS });
    },
  },
  {
    name: 'files of 5 MB read as bytes, 8 times',
    answers: { ...HOSTILE, '/files': { body: 'x'.repeat(4_900_000) } },
    send: execute(
      'execute_read',
      onSandbox(
        `Promise.all(Array.from({ length: 8 }, () => sbx.files.read('/x', { format: 'bytes' }).then(b => b.length, e => e.code)))`,
      ),
    ),
  },
  {
    name: 'a sandbox that answers a command with 16 MB of small messages, 4 times',
    answers: {
      ...HOSTILE,
      '/process.Process/Start': {
        type: 'application/connect+json',
        body: Buffer.concat([framed({ start: { pid: 7 } }), Buffer.alloc(16_000_000)]),
      },
    },
    send: target =>
      Promise.all(
        times(4, () =>
          post(target, toolCall('execute_write', onSandbox(`sbx.commands.run('true').catch(e => e.code)`))),
        ),
      ),
  },
  {
    name: 'a sandbox that answers a command with 90,000 keepalives, 4 times',
    answers: {
      ...HOSTILE,
      '/process.Process/Start': {
        type: 'application/connect+json',
        body: Buffer.concat([framed({ start: { pid: 7 } }), ...Array(90_000).fill(framed({ keepalive: {} }))]),
      },
    },
    send: target =>
      Promise.all(
        times(4, () =>
          post(target, toolCall('execute_write', onSandbox(`sbx.commands.run('true').catch(e => e.code)`))),
        ),
      ),
  },
  {
    name: 'a sandbox that answers code with 190,000 events, 4 times',
    answers: { ...HOSTILE, '/execute': { body: '{"type":"stdout","text":"x"}\n'.repeat(190_000) } },
    send: target =>
      Promise.all(
        times(4, () => post(target, toolCall('execute_write', onSandbox(`sbx.runCode('1').catch(e => e.code)`)))),
      ),
  },
  {
    name: 'a sandbox that answers code with 8 images of 400 kB, which are displayed, 6 times',
    answers: { ...HOSTILE, '/execute': { body: `${IMAGE}\n`.repeat(8) } },
    send: target =>
      Promise.all(
        times(6, () =>
          post(target, toolCall('execute_write', onSandbox(`sbx.runCode('1').then(r => display(r), e => e.code)`))),
        ),
      ),
  },
];
