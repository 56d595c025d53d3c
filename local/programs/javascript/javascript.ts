// Where JavaScript comes from: QuickJS, in a worker of ours.
import { builtFile } from '../../../src/ground/built.ts';

export async function javascript(): Promise<{ url: URL; data: Readonly<Record<string, unknown>> }> {
  return { url: builtFile('local/programs/javascript/worker.js'), data: {} };
}
