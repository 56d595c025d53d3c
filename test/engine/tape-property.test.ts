// The embedded engine; the microVM's is in microvm/.
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

it('a run interrupted at every ending call gives what it gives uninterrupted', { timeout }, async () => {
  expect(await interruptionsChangeNothing(guest, SECONDS)).toBeGreaterThan(0);
});

it('a run that races its calls is replayed to where it was, and nothing is sent twice', { timeout }, async () => {
  expect(await racesAreReplayed(guest, SECONDS / 2)).toBeGreaterThan(0);
});
