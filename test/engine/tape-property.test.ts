// For the embedded engine; the microVM engine's tests are in microvm/.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createQuickjsEngine } from '../../src/engine/quickjs/engine.ts';
import { DESCRIPTION } from '../contract/description.ts';
import { Harness } from '../contract/harness.ts';
import { interruptionsChangeNothing, racesAreReplayed } from '../contract/tape-property.ts';

const guest = new Harness();
beforeAll(() => guest.open(() => createQuickjsEngine({ descriptionJson: DESCRIPTION, warm: false })));
afterAll(() => guest.close());

const SECONDS = Number(process.env['FUZZ_SECONDS'] ?? 4);
const timeout = (SECONDS + 60) * 1000;

it('a run that is interrupted at every call that needs approval gives the same result as uninterrupted', {
  timeout,
}, async () => {
  expect(await interruptionsChangeNothing(guest, SECONDS)).toBeGreaterThan(0);
});

it('a run that races its calls is replayed to the same place, and sends nothing twice', { timeout }, async () => {
  expect(await racesAreReplayed(guest, SECONDS / 2)).toBeGreaterThan(0);
});
