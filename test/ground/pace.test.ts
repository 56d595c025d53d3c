// How long heavy work rests, on a simulated clock.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { HostTurns } from '../../src/ground/host-turns.ts';
import { Activity, Pace } from '../../src/ground/pace.ts';

const PIECE_MS = 0.4;
const LIMITS = {
  own: { share: 0.05, creditMs: 4, maxDebtMs: 10 },
  heavy: { share: 0.2, creditMs: 0.5, maxDebtMs: 10 },
};

function paceAt(clock: () => number) {
  const activity = new Activity(clock);
  return { activity, pace: new Pace(activity, LIMITS) };
}

/** The part of 2 s in which each of the callers worked, if all always have work and others send requests or not. */
function simulate(callers: readonly string[], { others }: { others: boolean }) {
  let now = 1_000;
  const { activity, pace } = paceAt(() => now);
  const workedMs = new Map(callers.map(caller => [caller, 0]));
  for (const caller of callers.slice(0, 1)) activity.note(caller);
  const until = now + 2_000;
  while (now < until) {
    if (others) activity.note('bystander');
    const caller = callers
      .filter(each => pace.restMs(each) === 0)
      .sort((a, b) => (workedMs.get(a) ?? 0) - (workedMs.get(b) ?? 0))[0];
    now += PIECE_MS;
    if (caller === undefined) continue;
    pace.noteWork(caller, PIECE_MS);
    workedMs.set(caller, (workedMs.get(caller) ?? 0) + PIECE_MS);
  }
  const parts = [...workedMs.values()].map(ms => ms / 2_000);
  return { total: parts.reduce((sum, part) => sum + part, 0), parts };
}

it('a caller that is alone never rests', () => {
  expect(simulate(['a'], { others: false }).total).toBeCloseTo(1, 2);
});

it('beside others, heavy callers together get a fifth of the time, in equal parts', () => {
  const one = simulate(['a'], { others: true });
  expect(one.total).toBeCloseTo(0.2, 1);
  const { total, parts } = simulate(['a', 'b', 'c'], { others: true });
  expect(total).toBeCloseTo(0.2, 1);
  for (const part of parts) expect(part).toBeCloseTo(total / 3, 1);
});

it('a caller rests only after its credit, and no longer after a pause', () => {
  let now = 0;
  const { activity, pace } = paceAt(() => now);
  const work = (ms: number) => {
    now += ms;
    activity.note('bystander');
    pace.noteWork('a', ms);
  };
  work(3);
  expect(pace.restMs('a')).toBe(0);
  work(3);
  work(2.5);
  expect(pace.restMs('a')).toBeCloseTo(10, 5);
  expect(pace.restMs('b')).toBe(0);
  now += 11;
  activity.note('bystander');
  expect(pace.restMs('a')).toBe(0);
  now += 200;
  activity.note('bystander');
  work(1);
  expect(pace.restMs('a')).toBe(0);
});

it('a caller that worked long while it was alone is not heavy for long', () => {
  let now = 0;
  const { activity, pace } = paceAt(() => now);
  for (let piece = 0; piece < 10_000; piece++) {
    now += 5;
    pace.noteWork('a', 5);
  }
  activity.note('bystander');
  expect(pace.restMs('a')).toBeLessThanOrEqual(50);
  now += 300;
  activity.note('bystander');
  pace.noteWork('a', 3);
  expect(pace.restMs('a')).toBe(0);
});

it('the requests of one caller are not those of others', () => {
  let now = 0;
  const { activity, pace } = paceAt(() => now);
  for (let piece = 0; piece < 20; piece++) {
    activity.note('a');
    now += 5;
    pace.noteWork('a', 5);
  }
  expect(pace.restMs('a')).toBe(0);
  activity.note('b');
  activity.note('a');
  expect(pace.restMs('a')).toBeGreaterThan(0);
  now += 300;
  activity.note('a');
  expect(pace.restMs('a')).toBe(0);
});

it('while heavy work rests, the work of others is done at once, and the heavy work afterwards', async () => {
  let now = 0;
  const turns = new HostTurns(() => now);
  const order: string[] = [];
  turns.activity.note('bystander');
  const heavy = Array.from({ length: 4 }, (_, at) =>
    turns.take({ principalId: 'heavy', name: 'heavy', paced: true }, () => {
      now += 20;
      order.push(`heavy ${at}`);
    }),
  );
  await heavy[1];
  await sleep(5); // the heavy work rests, so it does not go on meanwhile
  await turns.take({ principalId: 'light', name: 'light', paced: true }, () => order.push('light'));
  expect(order).toEqual(['heavy 0', 'heavy 1', 'light']);
  turns.activity.note('bystander');
  now += 60;
  await heavy[2];
  await sleep(5);
  expect(order.slice(3)).toEqual(['heavy 2']);
  now += 60;
  await heavy[3];
});
