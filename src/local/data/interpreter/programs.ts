import type { DataMachine } from '../machine.ts';
import type { Ports } from '../virtual/ports.ts';
import type { RunProgram } from '../virtual/program.ts';

export function programRunner(_machine: DataMachine, _ports: Ports): RunProgram {
  return async (_language, _args, io) => {
    await io.output('stderr', Buffer.from('not built yet\n'));
    return 127;
  };
}
