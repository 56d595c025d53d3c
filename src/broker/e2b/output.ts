// What a command or code printed, bounded while it streams: the head and the tail are kept, the middle is counted. Pure.
import { firstWordEnd, lastWordAt, maskCutKey } from '../../upstream/key-spellings.ts';

export type Output = {
  push(text: string): void;
  /** `text`: all of it, or its beginning and end with a line between them that has the number of missing characters. */
  read(): { readonly text: string; readonly dropped: number };
  /** Whether something had to be dropped. */
  readonly isCut: boolean;
};

/** No part of this key is left where the text is cut, nor where it ends. What is whole in it is masked by who reads it. */
export function createOutput(maxChars: number, apiKey: string): Output {
  const half = Math.floor(maxChars / 2);
  let head = '';
  let tail: string[] = [];
  /** Of what is kept in `tail`; the places before it are empty. */
  let start = 0;
  let tailChars = 0;
  let dropped = 0;

  /** Whole pieces from the front. The array is copied when half of it is empty: over many pushes, no push pays for more than its own piece. */
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
    get isCut() {
      return dropped + Math.max(0, tailChars - half) > 0;
    },
  };
}

const MAX_LINE_CHARS = 500;
/** What is masked of a line. It is longer than what is shown, so that a cut leaves no part of a key. */
const MAX_MASKED_CHARS = 8_000;

/**
 * Lines as progress messages, at most one every `everyMs`: lines that come faster go out together, the newest win.
 * `mask` takes the secrets out of a line. `flush` sends what waits, an unfinished line too.
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
