// Random programs that are interrupted at every call that needs approval: the results are the same as uninterrupted, and
// the API gets each call once.
import fc from 'fast-check';
import { expect } from 'vitest';
import type { AskHost, GuestCall, Outcome } from '../../src/engine/engine.ts';
import { wholeText } from '../../src/ground/json-text.ts';
import type { Harness } from './harness.ts';
import { runToEnd } from './tape.ts';

/** Expressions that create promises. Each call gets its own number at the end. */
const promises = (...more: readonly ((inner: fc.Arbitrary<string>) => fc.Arbitrary<string>)[]) =>
  fc.letrec<{ promise: string }>(tie => ({
    promise: fc.oneof(
      { depthSize: 'small', maxDepth: 4 },
      fc.constant('call({ n: # })'),
      fc.constant('call({ end: # })'),
      fc.constant('call({ n: #, random: [Math.random(), crypto.randomUUID(), Date.now(), performance.now()] })'),
      fc.constant('call({ end: #, random: Math.random(), at: new Date().toISOString() })'),
      fc.constant('call({ end: # }).catch(e => call({ n: #, caught: e.code }))'),
      fc.integer({ min: 0, max: 5 }).map(ms => `sleep(${ms})`),
      fc.constant('Promise.reject(new Error("thrown"))'),
      fc.array(tie('promise'), { maxLength: 4 }).map(all => `every([${all.join(', ')}])`),
      fc.array(tie('promise'), { maxLength: 4 }).map(all => `settled([${all.join(', ')}])`),
      tie('promise').map(inner => `sleep(1).then(() => ${inner})`),
      fc
        .tuple(tie('promise'), tie('promise'))
        .map(([one, next]) => `${one}.then(value => ${next}.then(more => [value, more]))`),
      tie('promise').map(inner => `${inner}.catch(e => e.code ?? e.message)`),
      tie('promise').map(inner => `(async () => { try { return await ${inner} } finally { out.push('finally') } })()`),
      ...more.map(make => make(tie('promise'))),
    ),
  })).promise;

const programOf = (promise: fc.Arbitrary<string>) =>
  fc.array(promise, { minLength: 1, maxLength: 5 }).map(steps => {
    let number = 0;
    const lines = steps.map(step => `out.push(await ${step});`.replaceAll('#', () => String(++number)));
    return `async () => {
    const out = [];
    const call = async args => (await api.request(args)).to;
    const sleep = ms => new Promise(r => setTimeout(r, ms)).then(() => 'slept');
    const settled = all => Promise.allSettled(all).then(each => each.map(({ status, value, reason }) => [status, value, reason?.code ?? reason?.message]));
    // Like Promise.all, but waits for all before it throws, so that the result does not depend on timing.
    const every = all => Promise.allSettled(all).then(each => each.map(({ status, value, reason }) => { if (status === 'rejected') throw reason; return value }));
    ${lines.join('\n    ')}
    return out;
  }`;
  });

/** A user whose decision depends only on the call. */
const opinionOn = (end: number): GuestCall['decision'] => (end % 3 === 0 ? 'refused' : 'approved');

/** Replies repeat the call; values that differ from run to run are left out. */
function world(asks: boolean) {
  const sent: string[] = [];
  const askHost: AskHost = async call => {
    const { n, end, caught } = JSON.parse(wholeText(call.argsJson)) as { n?: number; end?: number; caught?: string };
    if (end !== undefined && call.decision === undefined && asks) return { held: end };
    const decision = end === undefined || asks ? call.decision : opinionOn(end);
    if (decision === 'refused')
      return { ok: false, error: { name: 'GatewayError', code: 'approval_refused', message: 'no' } };
    sent.push(JSON.stringify({ n, end, caught }));
    await new Promise(resolve => setTimeout(resolve, ((n ?? end ?? 0) * 7) % 4));
    return { ok: true, json: JSON.stringify({ to: { n, end, caught } }) };
  };
  return { sent, askHost };
}

const seen = (outcome: Outcome): unknown => {
  if (outcome.status === 'completed') return JSON.parse(outcome.json);
  return outcome.status === 'failed' ? [outcome.error.code, outcome.error.message] : outcome.status;
};

const limitedTo = (seconds: number) => ({
  numRuns: 10_000,
  interruptAfterTimeLimit: seconds * 1000,
  markInterruptAsFailure: false,
});

const asked = (guest: Harness, source: string, asking: ReturnType<typeof world>) =>
  runToEnd(guest, source, {
    ...asking,
    decide: held => new Map([...held].map(([id, end]) => [id, opinionOn(end as number)])),
  });

/** Random programs give the same result interrupted and uninterrupted. @returns the number of interruptions */
export async function interruptionsChangeNothing(guest: Harness, seconds: number): Promise<number> {
  let interruptions = 0;
  await fc.assert(
    fc.asyncProperty(programOf(promises()), async source => {
      const [plain, asking] = [world(false), world(true)];
      const uninterrupted = await runToEnd(guest, source, plain);
      const interrupted = await asked(guest, source, asking);
      interruptions += interrupted.rounds - 1;
      expect(seen(interrupted.outcome)).toEqual(seen(uninterrupted.outcome));
      expect(new Set(asking.sent).size).toBe(asking.sent.length);
      expect(asking.sent.toSorted()).toEqual(plain.sent.toSorted());
    }),
    limitedTo(seconds),
  );
  return interruptions;
}

/** An interruption may change which promise wins a race, but the replay is the same, and nothing is sent twice. */
export async function racesAreReplayed(guest: Harness, seconds: number): Promise<number> {
  const racing = promises(
    inner => fc.array(inner, { maxLength: 4 }).map(all => `Promise.all([${all.join(', ')}])`),
    inner => fc.array(inner, { minLength: 1, maxLength: 4 }).map(all => `Promise.race([${all.join(', ')}])`),
    inner =>
      fc
        .array(inner, { minLength: 1, maxLength: 4 })
        .map(all => `Promise.any([${all.join(', ')}]).catch(e => e.errors.length)`),
  );
  let interruptions = 0;
  await fc.assert(
    fc.asyncProperty(programOf(racing), async source => {
      const asking = world(true);
      const { outcome, rounds } = await asked(guest, source, asking);
      interruptions += rounds - 1;
      expect(JSON.stringify(seen(outcome))).not.toContain('replay_diverged');
      expect(new Set(asking.sent).size).toBe(asking.sent.length);
    }),
    limitedTo(seconds),
  );
  return interruptions;
}
