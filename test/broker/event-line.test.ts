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

it('an event whose masking takes long is not overtaken by later ones', async () => {
  let masked = () => {};
  const first = new Promise<void>(resolve => {
    masked = resolve;
  });
  const { emitted, replies } = await run(async text => {
    if (text === 'one') setImmediate(masked);
    if (text === 'one') await first;
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

it('many large events arrive in order', async () => {
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

it('replies of many calls wait for the threads, and none is refused', async () => {
  const answers = new Answers();
  const large: Capability = async (_args, { maskedJson }) => {
    const parts = Array.from({ length: 1_200 }, () => maskedJson('x'.repeat(33_000), 'string'));
    return JSON.stringify((await Promise.all(parts)).length);
  };
  const { askHost } = start({ answers, capabilities: { large }, limits: { maxHostMs: 60_000 } });
  const reply = await askHost({ capability: 'large', argsJson: '{}' }, parts.run.signal);
  await answers.close();
  expect(reply).toMatchObject({ ok: true, json: '1200' });
});
