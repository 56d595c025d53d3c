// Formats outcomes on threads, because locating an error parses the agent's code and truncating reads the whole result.
// Small successful results are formatted on the main thread.
import { GatewayError } from '../../errors.ts';
import { builtFile } from '../../ground/built.ts';
import { type Sender, ThreadPool } from '../../ground/thread-pool.ts';
import { type Formatted, formatOutcome, type Run, showDisplays } from './format.ts';

const SMALL_CHARS = 4_096;
const DEADLINE_MS = 1_000;

export class Formatter {
  readonly #threads: ThreadPool<Run, Formatted>;

  /** `nice`: see ground/thread-time.ts. */
  constructor({ nice = 0 } = {}) {
    this.#threads = new ThreadPool({
      file: builtFile('mcp/answer/thread.js'),
      threads: 1,
      maxThreads: 4,
      maxWaiting: 1_000,
      maxHeapMb: 128,
      deadlineMs: DEADLINE_MS,
      nice,
      late: () => new GatewayError('internal', undefined, { cause: new Error('a result took too long to format') }),
      broken: cause => new GatewayError('internal', undefined, { cause }),
    });
  }

  async format(run: Run, from: Sender): Promise<Formatted> {
    if (isSmall(run)) return formatOutcome(run);
    // Blocks stay on the main thread: copying them to a thread and back takes longer than formatting them.
    const { texts, blocks } = showDisplays(run.outcome.displays);
    const displays = texts.map(text => ({ kind: 'text' as const, text }));
    const { content, isError } = await this.#formatTexts({ ...run, outcome: { ...run.outcome, displays } }, from);
    return { content: [...content, ...blocks], isError };
  }

  async #formatTexts(run: Run, from: Sender): Promise<Formatted> {
    try {
      return await this.#threads.run(run, from);
    } catch (caught) {
      if (!(caught instanceof GatewayError) || caught.code !== 'internal') throw caught;
      // Locating the error in the code took too long: format the outcome without its location.
      return this.#threads.run({ ...run, code: { ...run.code, ...NO_CODE } }, from);
    }
  }

  close(): Promise<void> {
    return this.#threads.close();
  }
}

const NO_CODE = { source: '', text: '', insertions: [] };

function isSmall({ outcome }: Run): boolean {
  const { stdout, stderr, displays } = outcome;
  if (outcome.status !== 'completed' || displays.length > 0) return false;
  return outcome.json.length + stdout.length + stderr.length <= SMALL_CHARS;
}
