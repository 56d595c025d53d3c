// Code contexts of one machine. Not here yet.
import type { DataMachine } from '../machine.ts';

export class Contexts {
  readonly machine: DataMachine;
  constructor(machine: DataMachine, _ports?: unknown) {
    this.machine = machine;
  }
  async close(): Promise<void> {}
}
