// Shapes responses for a guest and masks keys in texts from sandboxes. Small ones are processed on the main thread,
// large ones on other threads, so that other callers do not have to wait.
import { GatewayError } from '../errors.ts';
import { builtFile } from '../ground/built.ts';
import { type Sender, ThreadPool } from '../ground/thread-pool.ts';
import { type AnswerPlan, shapeAnswer } from './answer.ts';
import type { AnswerDone, AnswerJob, AnswerReply, MaskDone } from './answer-thread.ts';
import type { UpstreamAnswer } from './client.ts';
import { maskKey } from './key-spellings.ts';

/** The main thread shapes such a response in about a millisecond. */
const SMALL = { bytes: 32_768, values: 1_000 };

/** The key to mask, and the caller who waits for the result. */
export type MaskFor = Sender & { readonly apiKey: string };

export class Answers {
  readonly #threads: ThreadPool<AnswerJob, AnswerReply>;

  /** `nice`: see ground/thread-time.ts. */
  constructor({ nice = 0 } = {}) {
    this.#threads = new ThreadPool({
      file: builtFile('upstream/answer-thread.js'),
      threads: 1,
      maxThreads: 4,
      maxWaiting: 1_000,
      maxHeapMb: 192,
      deadlineMs: 10_000,
      nice,
      late: () => tooMuch('takes too long to read'),
      broken: cause => tooMuch('takes too much memory to read', cause),
    });
  }

  /** @throws GatewayError `answer_too_large`, `busy`, `cancelled` */
  async shape(
    { body, size }: Pick<UpstreamAnswer, 'body' | 'size'>,
    plan: AnswerPlan,
    from: Sender,
  ): Promise<AnswerDone> {
    if (body.length <= SMALL.bytes && (size?.values ?? 0) <= SMALL.values) {
      const startedAt = performance.now();
      const shaped = shapeAnswer(body.toString('utf8'), plan);
      return { shaped, ms: performance.now() - startedAt };
    }
    const reply = await this.#threads.run({ body, plan }, from);
    if ('shaped' in reply) return reply;
    throw unread();
  }

  /** @throws GatewayError `answer_too_large`, `busy`, `cancelled` */
  async mask(text: string, { apiKey, ...from }: MaskFor): Promise<MaskDone> {
    if (text.length <= SMALL.bytes) {
      const startedAt = performance.now();
      return { masked: maskKey(text, apiKey), ms: performance.now() - startedAt };
    }
    const reply = await this.#threads.run({ text, apiKey }, from);
    if ('masked' in reply) return reply;
    throw unread();
  }

  close(): Promise<void> {
    return this.#threads.close();
  }
}

const unread = () =>
  new GatewayError('internal', undefined, { cause: new Error('the thread sent a reply of the wrong type') });

const tooMuch = (why: string, cause?: unknown) =>
  new GatewayError('answer_too_large', `The answer ${why}. Ask for less: use limit, filters or a narrower path.`, {
    cause,
  });
