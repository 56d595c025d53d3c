// Code contexts of one machine. Not here yet.
import type { DataMachine } from '../machine.ts';

export class Contexts {
  readonly machine: DataMachine;
  constructor(machine: DataMachine) {
    this.machine = machine;
  }
  async close(): Promise<void> {}
}
