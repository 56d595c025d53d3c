// Local mode as one call: puts the control plane, the sandboxes' daemon, the code interpreter and the machines together
// on one loopback port.
import type { MakeVolume } from './control/volumes.ts';
import { createDataPlane } from './daemon/routes.ts';
import { Contexts } from './interpreter/contexts.ts';
import { answerInterpreter } from './interpreter/http.ts';
import type { MachineParts, MakeMachine } from './machine/machine.ts';
import { neighbours } from './neighbours.ts';
import { programRunner } from './programs/guest.ts';
import { type LocalCloud, type LocalCloudOptions, startLocalCloud } from './server.ts';

export type LocalOptions = Omit<LocalCloudOptions, 'machineFactory' | 'dataPlane' | 'makeVolume'> & {
  /** Default: virtual machines, which touch nothing of the host. */
  readonly machine?: MakeMachine;
};

export async function startLocal({ machine = virtualMachine, ...options }: LocalOptions): Promise<LocalCloud> {
  let started: LocalCloud | undefined;
  const parts: MachineParts = {
    contexts: each => new Contexts(each),
    programs: programRunner,
    neighbour: neighbours(() => started),
  };
  started = await startLocalCloud({
    ...options,
    machineFactory: wanted => machine(wanted, parts),
    ...(machine === virtualMachine && { makeVolume: virtualVolume }),
    dataPlane: cloud => createDataPlane(cloud, answerInterpreter),
  });
  return started;
}

/** Loaded when wanted: just-bash is large, and a machine of another kind does without. */
const virtualMachine: MakeMachine = async (options, parts) =>
  (await import('./machine/virtual/machine.ts')).VirtualMachine.create(options, parts);
const virtualVolume: MakeVolume = async () => new (await import('./machine/virtual/mounts.ts')).VirtualVolume();
