import { afterAll, beforeAll } from 'vitest';
import type { LocalCloud } from '../../local/server.ts';
import { microvmEngine, startProcessCloud } from '../support/microvm.ts';
import { describeEngine } from './suite.ts';

let cloud: LocalCloud;
beforeAll(async () => {
  cloud = await startProcessCloud();
});
afterAll(() => cloud.close());

describeEngine('e2b', async () => microvmEngine(cloud), { machinePerRun: true });
