// Limits the output of a command or of code while it streams: keeps head and tail, and counts what is dropped between.
import { firstWordEnd, lastWordAt, maskCutKey } from '../../upstream/key-spellings.ts';

export type Output = {
  push(text: string): void;
  /** `text`: the whole output, or its head and tail with a line between them that counts the missing characters. */
  read(): { readonly text: string; readonly dropped: number };
  /** Whether something was dropped. */
  isCut(): boolean;
};

/** Leaves no part of the key where the text is cut or ends. The reader must mask whole keys in it. */
export function createOutput(maxChars: number, apiKey: string): Output {
  const half = Math.floor(maxChars / 2);
  let head = '';
  let tail: string[] = [];
  /** Index of the first piece in `tail` that is kept; the elements before it are empty. */
  let start = 0;
  let tailChars = 0;
  let dropped = 0;

  /** Drops whole pieces from the front. Copies the array only when half of it is empty: a push is O(1) on average. */
  const trim = () => {
    for (let next = tail[start]; next !== undefined && tailChars - next.length >= half; next = tail[start]) {
      tailChars -= next.length;
      dropped += next.length;
      tail[start++] = '';
    }
    if (start * 2 <= tail.length) return;
    tail = tail.slice(start);
    start = 0;
  };

  return {
    push(text) {
      const room = half - head.length;
      head += text.slice(0, room);
      const rest = room > 0 ? text.slice(room) : text;
      if (rest === '') return;
      tail.push(rest);
      tailChars += rest.length;
      trim();
    },
    read() {
      const end = tail.join('');
      const kept = end.slice(Math.max(0, end.length - half));
      const cut = dropped + end.length - kept.length;
      if (cut === 0) return { text: maskCutKey(head + kept, apiKey), dropped: 0 };
      const [before, after] = [head.slice(0, lastWordAt(head)), kept.slice(firstWordEnd(kept))];
      const missing = cut + head.length - before.length + kept.length - after.length;
      const text = `${before}\n[… ${missing} characters left out …]\n${maskCutKey(after, apiKey)}`;
      return { text, dropped: missing };
    },
    isCut() {
      return dropped + Math.max(0, tailChars - half) > 0;
    },
  };
}

const MAX_LINE_CHARS = 500;
/** Maximum characters of a line that are masked. More than are shown, so that a cut cannot leave part of a key. */
const MAX_MASKED_CHARS = 8_000;

/**
 * Reports lines as progress messages, at most one message every `everyMs`: of lines that come faster, the newest are
 * sent together. `mask` removes secrets from a line. `flush` sends what is waiting, even an unfinished line.
 */
export function createLineReporter(
  report: (message: string) => void,
  { everyMs = 200, mask }: { everyMs?: number; mask(line: string): string },
) {
  let partial = '';
  let waiting: string[] = [];
  let sentAt = -Infinity;
  let timer: NodeJS.Timeout | undefined;

  const send = () => {
    clearTimeout(timer);
    timer = undefined;
    if (waiting.length === 0) return;
    report(waiting.join('\n'));
    waiting = [];
    sentAt = performance.now();
  };
  const add = (line: string) => {
    const shown = mask(line.slice(0, MAX_MASKED_CHARS))
      .replace(/\p{Cc}+/gu, ' ')
      .trim();
    if (shown !== '') waiting.push(shown.slice(0, MAX_LINE_CHARS));
    if (waiting.length > 10) waiting = waiting.slice(-10);
  };

  return {
    push(text: string) {
      const lines = (partial + text).split(/\r\n|\r|\n/);
      partial = (lines.pop() ?? '').slice(0, MAX_MASKED_CHARS);
      for (const line of lines.slice(-10)) add(line);
      const wait = sentAt + everyMs - performance.now();
      if (wait <= 0) send();
      else timer ??= setTimeout(send, wait).unref();
    },
    flush() {
      add(partial);
      partial = '';
      send();
    },
  };
}
