// The events of a run are all sent in order, or a call fails.
import { expect, it } from 'vitest';
import { Answers } from '../../src/broker/answers.ts';
import type { Capability } from '../../src/broker/capabilities.ts';
import { GatewayError } from '../../src/errors.ts';
import { useBroker } from '../support/broker.ts';

const { parts, start } = useBroker();

/** Emits three events, then answers. */
const printing: Capability = async (_args, { emit }) => {
  for (const text of ['one', 'two', 'three']) emit(text);
  return '"done"';
};
const quiet: Capability = async () => '"done"';

async function run(maskText: Answers['maskText'], ...called: readonly string[]) {
  const answers = Object.assign(new Answers(), { maskText });
  const { askHost } = start({ answers, capabilities: { printing, quiet } });
  const emitted: string[] = [];
  const replies = [];
  for (const capability of called)
    replies.push(await askHost({ capability, argsJson: '{}' }, parts.run.signal, text => emitted.push(text)));
  return { emitted, replies };
}

it('an event waits while the threads are busy, and later events wait for it', async () => {
  let asked = 0;
  const { emitted, replies } = await run(async text => {
    if (text === 'one' && ++asked <= 2) throw new GatewayError('busy');
    return { value: text, ms: 0 };
  }, 'printing');
  expect(emitted).toEqual(['one', 'two', 'three']);
  expect(replies).toMatchObject([{ ok: true }]);
});

it('an event that cannot be masked makes its call fail, once', async () => {
  const { emitted, replies } = await run(
    async text => {
      if (text === 'two') throw new GatewayError('answer_too_large', 'The answer takes too long to read.');
      return { value: text, ms: 0 };
    },
    'printing',
    'quiet',
  );
  expect(emitted).toEqual(['one', 'three']);
  expect(replies).toMatchObject([{ ok: false, error: { code: 'answer_too_large' } }, { ok: true }]);
});

it('more events arrive than may wait for the threads', async () => {
  const answers = new Answers();
  const emitted: number[] = [];
  const flood: Capability = async (_args, { emit }) => {
    for (let i = 0; i < 1_500; i++) emit(`${i} ${'x'.repeat(33_000)}`);
    return '"done"';
  };
  const { askHost } = start({ answers, capabilities: { flood } });
  const reply = await askHost({ capability: 'flood', argsJson: '{}' }, parts.run.signal, text =>
    emitted.push(Number.parseInt(text, 10)),
  );
  await answers.close();
  expect(reply).toMatchObject({ ok: true });
  expect(emitted).toEqual(Array.from({ length: 1_500 }, (_, i) => i));
});
