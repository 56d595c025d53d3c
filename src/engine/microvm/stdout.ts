// The runner's stdout on the host: pieces of text in, checked frames out. Whatever else the sandbox writes there is
// passed over; all of it is bounded, since the sandbox is the guest's.
import { z } from 'zod';
import { KIND } from '../protocol.ts';
import { INLINE_CHARS, MARK, type RunnerFrame } from './wire.ts';

/** Every character may take six in ASCII JSON, and a backslash of those one more. */
const MAX_LINE_CHARS = INLINE_CHARS * 7 + 1_024;
/** The SDK keeps all of it for the life of the command. */
const MAX_TOTAL_CHARS = 8_000_000;

/** An honest runner writes one for each call, display and piece of log, all of which are bounded. */
const MAX_FRAMES = 50_000;

const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
/** What crosses the wire. Timers do only where a tape keeps them; random bytes never do. */
const KINDS = [KIND.call, KIND.timer, KIND.clear, KIND.done, KIND.failed, KIND.log, KIND.display, KIND.dropped];
const Said = { t: z.literal('said'), kind: z.literal(KINDS), id: count, cpuMs: count };
const Frame = z.union([
  z.object({ t: z.literal('started') }),
  z.object({ ...Said, p: z.string() }),
  z.object({ ...Said, file: count, bytes: count }),
  z.object({ t: z.literal('idle'), settled: count, cpuMs: count }),
  z.object({
    t: z.literal('end'),
    reason: z.enum(['cpu', 'memory', 'deadlock', 'flood', 'crashed']),
    cpuMs: count,
  }),
]) satisfies z.ZodType<RunnerFrame>;

/** Not a message of the runner: it is compromised, or something else writes in its place. Nothing more is accepted. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

export class FrameReader {
  /** Of the line under way: put together at its end only, since pieces may be of one character. */
  #pieces: string[] = [];
  #lineChars = 0;
  #totalChars = 0;
  #frameCount = 0;

  /** Output that holds no frames; the SDK keeps that as well. @throws WireError */
  count(text: string): void {
    this.#totalChars += text.length;
    if (this.#totalChars > MAX_TOTAL_CHARS) throw new WireError('the runner wrote too much');
  }

  /** Frames one by one, so that those before a fault count. @throws WireError */
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

  /** Of a line that lies within `text` and is no frame, nothing is copied: there may be millions. */
  #lineOf(text: string, start: number, end: number): string {
    if (this.#lineChars === 0 && !text.startsWith(MARK, start)) return '';
    this.#collect(text.slice(start, end));
    const line = this.#pieces.join('');
    this.#pieces = [];
    this.#lineChars = 0;
    return line;
  }

  /** Nothing is kept of a line that is longer than any frame. */
  #collect(piece: string): void {
    this.#lineChars += piece.length;
    if (this.#lineChars > MAX_LINE_CHARS) this.#pieces = [];
    else this.#pieces.push(piece);
  }
}

function parseFrame(line: string): RunnerFrame {
  let value: unknown;
  try {
    value = JSON.parse(line.slice(MARK.length));
  } catch {
    throw new WireError('a frame is not JSON');
  }
  const parsed = Frame.safeParse(value);
  if (!parsed.success) throw new WireError('a frame is malformed');
  return parsed.data;
}
