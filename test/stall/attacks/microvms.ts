// Attacks by the output of a run's own sandbox.
import { KIND } from '../../../src/engine/protocol.ts';
import { framed, SANDBOX } from '../hostile-sandbox.ts';
import { post, type Target, times, toolCall } from '../support/send.ts';
import type { Answer, Attack } from './attack.ts';

/** A simulated sandbox of a run: sends the runner's stdout in messages of 30 kB. */
const microvmThatWrites = (text: string): Readonly<Record<string, Answer>> => {
  const stdout = Buffer.from(text);
  const pieces = times(Math.ceil(stdout.length / 30_000), i => stdout.subarray(i * 30_000, (i + 1) * 30_000));
  const output = pieces.map(piece => framed({ data: { stdout: piece.toString('base64') } }));
  return {
    '/sandboxes': SANDBOX,
    '/v2/sandboxes': SANDBOX,
    '/v3/sandboxes': SANDBOX,
    '/files': { body: '[{"name":"run.json","type":"file","path":"/tmp/run.json"}]' },
    '/process.Process/Start': {
      type: 'application/connect+json',
      body: Buffer.concat([framed({ start: { pid: 7 } }), ...output]),
    },
  };
};
const frame = (fields: object) => `#code-mode#${JSON.stringify(fields)}\n`;
const STARTED = frame({ t: 'started' });
const message = (kind: number, p: string) => frame({ t: 'message', kind, id: 1, p, cpuMs: 0 });
/** A frame says that the payload is in a file, which has this content. */
const microvmWithFile = (kind: number, id: number, content: string): Readonly<Record<string, Answer>> => ({
  ...microvmThatWrites(
    STARTED + frame({ t: 'message', kind, id, cpuMs: 0, file: 1, bytes: Buffer.byteLength(content) }),
  ),
  'GET /files': { body: content },
});
const inMicrovms = (target: Target) =>
  Promise.all(times(4, () => post(target, toolCall('execute_write', 'async () => 1'))));

export const MICROVMS: readonly Attack[] = [
  ...[
    { what: 'frames of a kind that the engine does not use', line: message(7, '8') },
    { what: 'pieces of log', line: message(5, 'x') },
    { what: 'calls with one id', line: message(0, 'api.request\n{}') },
    { what: 'lines that are no frames', line: 'x\n' },
    { what: 'frames with 33,000 objects each', line: frame({ t: 'started', a: times(33_000, () => ({})) }) },
  ].map(({ what, line }) => ({
    name: `a microVM that writes 8 MB of ${what}, 4 times`,
    microvm: true as const,
    answers: microvmThatWrites(STARTED + line.repeat(Math.floor(8_000_000 / line.length))),
    send: inMicrovms,
  })),
  {
    name: 'a microVM that returns 20 MB of {} in a file, 4 times',
    microvm: true,
    answers: microvmWithFile(KIND.done, 0, `[${'{},'.repeat(6_600_000)}{}]`),
    send: inMicrovms,
  },
  {
    name: 'a microVM that displays 4 MB in a file, 4 times',
    microvm: true,
    answers: microvmWithFile(KIND.display, 9, `image/png${'A'.repeat(3_900_000)}`),
    send: inMicrovms,
  },
];
