// Local mode as one call: control plane, data plane and the shells behind it, on one loopback port.
import { createDataPlane, createMachineFactory, type ShellKind } from './daemon/routes.ts';
import { type LocalCloud, type LocalCloudOptions, startLocalCloud } from './server.ts';

export type LocalOptions = Omit<LocalCloudOptions, 'machineFactory' | 'dataPlane'> & {
  /** `process` runs real processes of this machine, without isolation: the caller warns. Default `virtual`. */
  readonly shell?: ShellKind;
};

export function startLocal({ shell = 'virtual', ...options }: LocalOptions): Promise<LocalCloud> {
  return startLocalCloud({ ...options, machineFactory: createMachineFactory(shell), dataPlane: createDataPlane });
}
