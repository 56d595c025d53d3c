// The machine of virtual shells. Not here yet.
import type { MachineOptions } from '../../cloud.ts';
import type { DataMachine } from '../machine.ts';

export const VirtualMachine = {
  create: async (_options: MachineOptions): Promise<DataMachine> => {
    throw new Error('virtual shells are not built yet: use the process shell');
  },
};
