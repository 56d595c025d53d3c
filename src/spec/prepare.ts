// Turns a published document into a Description on a thread of its own with a deadline: a few bytes of YAML can keep a
// parser busy for hours. Knows nothing of where the document came from.
import { Worker } from 'node:worker_threads';
import { GatewayError } from '../errors.ts';
import { builtFile } from '../ground/built.ts';
import type { Description } from './description.ts';

export type PrepareRequest = { readonly text: string; readonly base: Description };
export type PrepareReply = { readonly description: Description } | { readonly refused: string };

const DEADLINE_MS = 15_000;
const MAX_HEAP_MB = 256;

const THREAD = builtFile('spec/prepare-thread.js');

/**
 * @param request `base` is our own description: its words are laid over, and what `text` lacks is taken from it.
 * @throws GatewayError `spec_invalid`: not usable, or too costly to find out.
 */
export async function prepare(
  request: PrepareRequest,
  signal: AbortSignal,
  deadlineMs = DEADLINE_MS,
): Promise<Description> {
  const worker = new Worker(THREAD, {
    workerData: request,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    // What a parser warns of is of no interest.
    stdout: true,
    stderr: true,
  });
  worker.unref();
  const ended = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
  try {
    const reply = await new Promise<PrepareReply>((resolve, reject) => {
      const lose = (message: string, cause?: unknown) => reject(new GatewayError('spec_invalid', message, { cause }));
      ended.addEventListener('abort', () => lose('The description takes too long to read.'));
      if (ended.aborted) lose('The description takes too long to read.');
      worker.once('message', resolve);
      worker.once('error', cause =>
        lose('The description could not be read: it is too large or too deeply nested.', cause),
      );
      worker.once('exit', () => lose('The description could not be read.'));
    });
    if ('refused' in reply) throw new GatewayError('spec_invalid', reply.refused);
    return reply.description;
  } finally {
    await worker.terminate();
  }
}
