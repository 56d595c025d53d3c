// What local mode's planes share: the sandboxes there are, per team, and the machine inside each. Types and the
// registry only: routes of the control plane and of the data plane stand in their own files.

export type SandboxState = 'running' | 'paused';

/**
 * What runs inside a sandbox: files, processes, code contexts. Made by the data plane, owned by the registry.
 * `freeze`/`thaw` bracket a pause (processes stop, files stay); `copy` gives a fork or a snapshot's content.
 */
export interface Machine {
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  copy(): Promise<Machine>;
  /** Ends every process and open stream; the machine is not used again. */
  close(): Promise<void>;
}

export type MachineFactory = (options: {
  sandboxId: string;
  envVars: Readonly<Record<string, string>>;
}) => Promise<Machine>;
