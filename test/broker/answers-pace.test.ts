// Large replies of a caller wait while others use the gateway. The clock is simulated: it stands still until the test sets it.
import { afterEach, expect, it } from 'vitest';
import { Answers } from '../../src/broker/answers.ts';
import { Activity } from '../../src/ground/pace.ts';

const open: Answers[] = [];
afterEach(() => Promise.all(open.splice(0).map(answers => answers.close())));

const JOBS = 8;

function setUp() {
  let now = 1_000;
  const activity = new Activity(() => now);
  const answers = new Answers({ activity });
  open.push(answers);
  const read = (principalId: string, bytes: number) => {
    const secrets = { apiKey: 'e2b_0', tokens: [], principalId, signal: new AbortController().signal };
    return answers.mask([new Uint8Array(bytes)], 'base64', secrets);
  };
  /** Reads large files for one caller at once. */
  const readMany = () => {
    const reads = Array.from({ length: JOBS }, () => read('heavy', 5_000_000));
    let done = 0;
    for (const each of reads) void each.then(() => (done += 1));
    return { reads, done: () => done };
  };
  const pass = (ms: number) => {
    now += ms;
  };
  return { activity, read, readMany, pass };
}

it('beside others, some of many large replies wait, and those of others do not', async () => {
  const { activity, read, readMany, pass } = setUp();
  activity.note('bystander');
  const { reads, done } = readMany();
  await Promise.race(reads);
  for (let i = 0; i < JOBS; i++) await read('bystander', 100_000);
  expect(done()).toBeLessThan(JOBS);
  pass(1_000);
  await Promise.all(reads);
});

it('a caller that is alone does not wait', async () => {
  const { activity, readMany } = setUp();
  activity.note('heavy');
  await Promise.all(readMany().reads);
});
