// Where JavaScript comes from: QuickJS, in a worker of ours.
import { workerUrl } from './worker-url.ts';

export async function javascript(): Promise<{ url: URL; data: Readonly<Record<string, unknown>> }> {
  return { url: workerUrl('javascript-worker.js'), data: {} };
}
