// A machine that holds and runs nothing: enough for the control plane alone.
import type { Machine } from './sandbox.ts';

export const emptyMachine: Machine = {
  freeze: async () => {},
  thaw: async () => {},
  copy: async () => emptyMachine,
  close: async () => {},
};
