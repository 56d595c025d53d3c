// The contract suite: every engine must give the same results, errors, globals and limits.
import { afterAll, beforeAll, describe } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import { buffer } from './buffer.ts';
import { calls } from './calls.ts';
import { control } from './control.ts';
import { dates } from './dates.ts';
import { errors } from './errors.ts';
import { events } from './events.ts';
import { globals } from './globals.ts';
import { Harness, type SuiteOptions } from './harness.ts';
import { hostile } from './hostile.ts';
import { intl } from './intl.ts';
import { isolation } from './isolation.ts';
import { results } from './results.ts';
import { tape } from './tape.ts';

/** `makeEngine` is called with DESCRIPTION (description.ts). */
export function describeEngine(name: string, makeEngine: () => Promise<Engine>, options: SuiteOptions = {}): void {
  describe(`engine ${name}`, { concurrent: options.machinePerRun === true }, () => {
    const guest = new Harness(options);
    beforeAll(() => guest.open(makeEngine));
    afterAll(() => guest.close());
    results(guest);
    globals(guest);
    intl(guest);
    dates(guest);
    buffer(guest);
    calls(guest);
    events(guest);
    errors(guest);
    isolation(guest);
    control(guest);
    hostile(guest);
    tape(guest);
  });
}
