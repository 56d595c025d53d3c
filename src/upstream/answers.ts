// Where an answer is shaped for a guest: a small one here, a large one on a thread, so that nobody else waits for it.
import { GatewayError } from '../errors.ts';
import { builtFile } from '../ground/built.ts';
import { type Done, ThreadLost, Threads } from '../ground/threads.ts';
import { type AnswerPlan, type ShapedAnswer, shapeAnswer } from './answer.ts';
import type { AnswerJob } from './answer-thread.ts';
import type { UpstreamAnswer } from './client.ts';

/** What the main thread shapes in about a millisecond. */
const SMALL = { bytes: 32_768, values: 1_000 };
const DEADLINE_MS = 10_000;
const MAX_HEAP_MB = 192;

export class Answers {
  readonly #threads = new Threads<AnswerJob, ShapedAnswer>({
    entry: builtFile('upstream/answer-thread.js'),
    deadlineMs: DEADLINE_MS,
    maxHeapMb: MAX_HEAP_MB,
  });

  /** Takes the body away from the answer. @throws GatewayError `answer_too_large`, `cancelled` */
  async shape(
    { body, size }: Pick<UpstreamAnswer, 'body' | 'size'>,
    plan: AnswerPlan,
    principalId: string,
    signal: AbortSignal,
  ): Promise<Done<ShapedAnswer>> {
    if (body.length <= SMALL.bytes && (size?.values ?? 0) <= SMALL.values) {
      const startedAt = performance.now();
      const result = shapeAnswer(body.toString('utf8'), plan);
      return { result, ms: performance.now() - startedAt };
    }
    const whole = body.byteLength === body.buffer.byteLength ? body : new Uint8Array(body);
    try {
      return await this.#threads.run(principalId, { body: whole, plan }, signal, [whole.buffer as ArrayBuffer]);
    } catch (caught) {
      if (!(caught instanceof ThreadLost)) throw caught;
      if (signal.aborted) throw new GatewayError('cancelled', undefined, { cause: caught });
      const detail = `The answer of ${body.length} bytes takes too long to read. Ask for less: use limit, filters or a narrower path.`;
      throw new GatewayError('answer_too_large', detail, { cause: caught });
    }
  }

  close(): Promise<void> {
    return this.#threads.close();
  }
}
