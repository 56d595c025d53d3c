// The two kinds of machines that tests run local mode with.
import type { LocalOptions } from '../../local/start.ts';
import { processMachine } from './process-machine/machine.ts';

/** `virtual`: what users get. `process`: the host's own programs, without isolation. */
export type ShellKind = 'virtual' | 'process';

export const machineOf = (shell: ShellKind): Pick<LocalOptions, 'machine'> =>
  shell === 'process' ? { machine: processMachine } : {};
