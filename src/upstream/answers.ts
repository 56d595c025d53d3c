// Shapes responses for a guest and masks keys in texts from sandboxes. Small ones are processed on the main thread,
// large ones on other threads, so that other callers do not have to wait.
import { GatewayError } from '../errors.ts';
import { builtFile } from '../ground/built.ts';
import { type Sender, ThreadPool } from '../ground/thread-pool.ts';
import type { AnswerPlan } from './answer.ts';
import { type AnswerDone, doJob, type Job, type MaskDone } from './answer-job.ts';
import type { UpstreamAnswer } from './client.ts';

/** The main thread shapes such a response in about a millisecond. */
const SMALL = { bytes: 32_768, values: 1_000 };

/** The key to mask, the form of the result (see `Job`), and the caller who waits for it. */
export type MaskFor = Sender & { readonly apiKey: string; readonly isValue?: boolean };

export class Answers {
  readonly #threads: ThreadPool<Job, AnswerDone | MaskDone>;

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
  shape({ body, size }: Pick<UpstreamAnswer, 'body' | 'size'>, plan: AnswerPlan, from: Sender): Promise<AnswerDone> {
    const isSmall = body.length <= SMALL.bytes && (size?.values ?? 0) <= SMALL.values;
    return this.#do({ body, plan }, isSmall, from);
  }

  /** @throws GatewayError `answer_too_large`, `busy`, `cancelled` */
  mask(text: string, { apiKey, isValue = false, ...from }: MaskFor): Promise<MaskDone> {
    return this.#do({ text, apiKey, isValue }, text.length <= SMALL.bytes, from);
  }

  /** `Done` is what doJob returns for a job of this kind. */
  async #do<Done>(job: Job, isSmall: boolean, from: Sender): Promise<Done> {
    return (isSmall ? doJob(job) : await this.#threads.run(job, from)) as Done;
  }

  close(): Promise<void> {
    return this.#threads.close();
  }
}

const tooMuch = (why: string, cause?: unknown) =>
  new GatewayError('answer_too_large', `The answer ${why}. Ask for less: use limit, filters or a narrower path.`, {
    cause,
  });
