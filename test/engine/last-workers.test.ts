// Who may use the last free workers, and when others are needed, with workers that only have a state.
import { describe, expect, it } from 'vitest';
import { admissionFor, LONG_AGO, NOW } from './admission-harness.ts';

describe('the worker that is kept when workers were added', () => {
  it('is for known principals with short runs, not for new ones nor for long runs', () => {
    const { meet, hold, addWorker, enqueue, order } = admissionFor(8, 2);
    meet(1, 'light', 'light');
    meet(60, 'long', 'long');
    hold('a', 'b');
    addWorker();
    enqueue('long', 'new', 'light');
    expect(order()).toEqual(['light']);
  });

  it('makes another one necessary while runs wait that may not use it', () => {
    const { admission, hold, addWorker, enqueue, order } = admissionFor(8, 2);
    hold('a', 'b');
    addWorker();
    expect(admission.lacksWorker).toBe(false);
    enqueue('new', 'newer');
    expect(order()).toEqual([]);
    expect(admission.lacksWorker).toBe(true);
    addWorker();
    expect(admission.lacksWorker).toBe(false);
    expect(order()[0]).toBe('new');
  });

  it('is not kept while a single principal occupies the others', () => {
    const { hold, addWorker, enqueue, order } = admissionFor(8, 2);
    hold('hog', 'hog');
    addWorker();
    enqueue('hog', 'new');
    expect(order()).toEqual(['new']);
  });

  it('is kept although slices of several principals have only begun', () => {
    const { admission, hold, addWorker, enqueue, place, order } = admissionFor(4, 2);
    const [long] = enqueue('long');
    place();
    if (long === undefined) throw new Error('no run');
    admission.putBack(long);
    hold('a');
    enqueue('b');
    const begun = place();
    begun?.takeWithheld();
    addWorker(begun, NOW);
    addWorker();
    addWorker();
    expect(order()).toEqual([]);
  });

  it('leaves the last but one to the short slices of new principals when no more workers are added', () => {
    const { meet, hold, addWorker, enqueue, order } = admissionFor(4, 2);
    meet(900, 'heavy');
    hold('a', 'b');
    addWorker();
    addWorker();
    enqueue('heavy', 'new');
    expect(order()).toContain('new');
    expect(order()).not.toContain('heavy');
  });
});

describe('workers that were added', () => {
  const withShortSlices = (...after: string[]) => {
    const harness = admissionFor(8, 2);
    const { meet, enqueue, place, addWorker } = harness;
    meet(10, 'a', 'b', 'quick');
    meet(1, 'brief', 'briefer');
    enqueue('a', 'b');
    for (const run of [place(), place()]) addWorker(run, NOW);
    enqueue(...after);
    return harness;
  };

  it('are not used for more short slices than there are workers otherwise', () => {
    const { addWorker, order } = withShortSlices('quick');
    for (let i = 0; i < 3; i++) addWorker();
    expect(order()).toEqual([]);
  });

  it('are used for one more very short slice', () => {
    const { addWorker, place } = withShortSlices('brief', 'briefer');
    addWorker(place(), NOW);
    for (let i = 0; i < 3; i++) addWorker();
    expect(place()).toBe(undefined);
  });

  it('are not kept from others by very short slices', () => {
    const { meet, enqueue, place, addWorker, order } = admissionFor(8, 2);
    meet(1, 'brief', 'briefer');
    enqueue('brief', 'briefer');
    for (const run of [place(), place()]) addWorker(run, NOW);
    addWorker();
    enqueue('new');
    expect(order()).toEqual(['new']);
  });

  it('are needed while a known principal with very short runs waits for short ones, but only one', () => {
    const { admission, addWorker, enqueue, place } = withShortSlices('quick');
    expect(admission.lacksWorker).toBe(false);
    enqueue('brief', 'briefer');
    expect(admission.lacksWorker).toBe(true);
    const run = place();
    expect(run?.principal).toMatch(/^brief/);
    addWorker(run, NOW);
    expect(admission.lacksWorker).toBe(false);
  });

  it('are not used for more trials than that, but for known principals with short runs beside trials', () => {
    const { meet, enqueue, place, addWorker, order } = admissionFor(8, 2);
    meet(1, 'light', 'light');
    enqueue('new', 'newer');
    for (const run of [place(), place()]) addWorker(run);
    for (let i = 0; i < 3; i++) addWorker();
    enqueue('newest', 'light');
    expect(order()).toEqual(['light']);
  });

  it('are needed while a known principal with short runs waits, and long slices of others occupy all', () => {
    const { admission, meet, hold, enqueue } = admissionFor(8, 2);
    meet(1, 'light', 'light');
    hold('a', 'b');
    expect(admission.lacksWorker).toBe(false);
    enqueue('new');
    expect(admission.lacksWorker).toBe(false);
    enqueue('light');
    expect(admission.lacksWorker).toBe(true);
  });

  it('are not needed while slices of known principals with short runs, or short slices, occupy all', () => {
    const { admission, meet, enqueue, place, addWorker } = admissionFor(8, 2);
    meet(1, 'light', 'light', 'other', 'other');
    enqueue('other', 'new');
    for (const atMs of [LONG_AGO, NOW]) addWorker(place(), atMs);
    enqueue('light');
    expect(admission.lacksWorker).toBe(false);
  });
});
