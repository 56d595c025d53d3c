// Reads frames from the runner's stdout and checks them. Other output of the sandbox is skipped. Everything is limited,
// because the guest controls the sandbox.
import { z } from 'zod';
import { judgeJson } from '../../ground/json-size.ts';
import { KIND } from '../protocol.ts';
import { INLINE_CHARS, MARK, type RunnerFrame } from './wire.ts';

/** A character takes up to six in ASCII JSON, and an escaped backslash one more. */
const MAX_LINE_CHARS = INLINE_CHARS * 7 + 1_024;
/** The SDK keeps the whole output in memory while the command runs. */
const MAX_TOTAL_CHARS = 8_000_000;

/** Maximum number of frames: one for each call, display and piece of log, all of which are limited. */
const MAX_FRAMES = 50_000;

const FRAME_LIMITS = { maxBytes: MAX_LINE_CHARS, maxValues: 20, maxKeys: 20, maxDepth: 3, maxKeyBytes: 20 };

const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
/** The kinds that are sent. Timers are sent only if there is a tape; random bytes are never requested. */
const KINDS = [KIND.call, KIND.timer, KIND.clear, KIND.done, KIND.failed, KIND.log, KIND.display, KIND.dropped];
const Message = { t: z.literal('message'), kind: z.literal(KINDS), id: count, cpuMs: count };
const Frame = z.union([
  z.object({ t: z.literal('started') }),
  z.object({ ...Message, p: z.string() }),
  z.object({ ...Message, file: count, bytes: count }),
  z.object({ t: z.literal('idle'), settled: count, cpuMs: count }),
  z.object({
    t: z.literal('end'),
    reason: z.enum(['cpu', 'memory', 'deadlock', 'flood', 'crashed']),
    cpuMs: count,
  }),
]) satisfies z.ZodType<RunnerFrame>;

/** The output is not that of an unmodified runner, so the guest has compromised it. The run is ended. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

export class FrameReader {
  /** The pieces of the current line, joined only at its end, because pieces may be single characters. */
  #pieces: string[] = [];
  #lineChars = 0;
  #totalChars = 0;
  #frameCount = 0;

  /** Counts output without frames, which the SDK keeps as well. @throws WireError */
  count(text: string): void {
    this.#totalChars += text.length;
    if (this.#totalChars > MAX_TOTAL_CHARS) throw new WireError('the runner wrote too much');
  }

  /** Yields frames one by one, so that those before a malformed one are still handled. @throws WireError */
  *read(text: string): Generator<RunnerFrame, void, undefined> {
    this.count(text);
    let at = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', at)) {
      const line = this.#lineOf(text, at, end);
      at = end + 1;
      if (!line.startsWith(MARK)) continue;
      this.#frameCount += 1;
      if (this.#frameCount > MAX_FRAMES) throw new WireError('the runner wrote too many frames');
      yield parseFrame(line);
    }
    this.#collect(text.slice(at));
  }

  /** Does not copy lines within `text` that are not frames, because there may be millions. */
  #lineOf(text: string, start: number, end: number): string {
    if (this.#lineChars === 0 && !text.startsWith(MARK, start)) return '';
    this.#collect(text.slice(start, end));
    const line = this.#pieces.join('');
    this.#pieces = [];
    this.#lineChars = 0;
    return line;
  }

  /** A line that is longer than any frame is not kept. */
  #collect(piece: string): void {
    this.#lineChars += piece.length;
    if (this.#lineChars > MAX_LINE_CHARS) this.#pieces = [];
    else this.#pieces.push(piece);
  }
}

function parseFrame(line: string): RunnerFrame {
  const json = line.slice(MARK.length);
  if (!judgeJson(json, FRAME_LIMITS).fits) throw new WireError('a frame has more values than any kind of frame');
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new WireError('a frame is not JSON');
  }
  const parsed = Frame.safeParse(value);
  if (!parsed.success) throw new WireError('a frame is malformed');
  return parsed.data;
}
