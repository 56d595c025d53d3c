// Turns a published document into a Description. Uses a separate thread with a deadline, because a few bytes of YAML
// can keep a parser busy for hours.
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
 * @param request `base` is our own description: it provides the texts, and operations that the document lacks.
 * @throws GatewayError `spec_invalid` if the document is not usable or takes too long to read
 */
export async function prepare(
  request: PrepareRequest,
  signal: AbortSignal,
  deadlineMs = DEADLINE_MS,
): Promise<Description> {
  const worker = new Worker(THREAD, {
    workerData: request,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    // Discards warnings of the parser.
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
