// Where JavaScript comes from. Not here yet.
import { workerUrl } from './worker-url.ts';

export async function javascript(): Promise<{ url: URL; data: Readonly<Record<string, unknown>> }> {
  return { url: workerUrl('javascript-worker.js'), data: {} };
}
