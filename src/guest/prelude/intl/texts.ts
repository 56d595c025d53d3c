// Intl.ListFormat, DisplayNames and Segmenter, and the methods of strings and arrays that depend on the locale.
import { ask, GENERAL, localeList, optionKinds } from './ask.ts';
import { createService, hidden } from './service.ts';

function listOf(items: unknown): [string[]] {
  const list: string[] = [];
  if (items === undefined) return [list];
  for (const item of items as Iterable<unknown>) {
    if (typeof item !== 'string') throw new TypeError(`Iterable yielded ${String(item)} which is not a string`);
    list.push(item);
  }
  return [list];
}

export const ListFormat = createService({
  type: 'ListFormat',
  options: optionKinds('localeMatcher type style'),
  strictOptions: true,
  calls: { format: listOf, formatToParts: listOf },
});

export const DisplayNames = createService({
  type: 'DisplayNames',
  options: optionKinds('localeMatcher style type fallback languageDisplay'),
  strictOptions: true,
  calls: { of: (code: unknown) => [`${code as string}`] },
});

type Found = { readonly starts: readonly number[]; readonly words?: readonly boolean[] };
type Segment = { segment: string; index: number; input: string; isWordLike?: boolean };

class Segments {
  readonly #input: string;
  readonly #found: Found;

  constructor(spec: string, input: string) {
    this.#input = input;
    this.#found = ask(spec, ['segment', input]) as Found;
  }

  #at(position: number): Segment {
    const { starts, words } = this.#found;
    const index = starts[position] as number;
    const segment = this.#input.slice(index, starts[position + 1]);
    return {
      segment,
      index,
      input: this.#input,
      ...(words === undefined ? {} : { isWordLike: words[position] === true }),
    };
  }

  containing(index: unknown = 0): Segment | undefined {
    const at = Math.trunc(Number(index)) || 0;
    if (at < 0 || at >= this.#input.length) return undefined;
    const after = this.#found.starts.findIndex(start => start > at);
    return this.#at((after === -1 ? this.#found.starts.length : after) - 1);
  }

  *[Symbol.iterator](): Generator<Segment> {
    for (let position = 0; position < this.#found.starts.length; position++) yield this.#at(position);
  }
}

export const Segmenter = createService({
  type: 'Segmenter',
  options: optionKinds('localeMatcher granularity'),
  strictOptions: true,
  methods: { segment: (spec, text: unknown) => new Segments(spec, `${text as string}`) },
});

export function installTexts(): void {
  const { toUpperCase, toLowerCase } = String.prototype;
  for (const [name, plain] of [
    ['toLocaleUpperCase', toUpperCase],
    ['toLocaleLowerCase', toLowerCase],
  ] as const)
    hidden(String.prototype, name, function (this: unknown, locales?: unknown) {
      if (locales === undefined) return plain.call(this as string);
      const list = localeList(locales);
      return list.length === 0 ? plain.call(this as string) : ask(GENERAL, [name, `${this as string}`, list]);
    });
  for (const prototype of [Array.prototype, Object.getPrototypeOf(Uint8Array.prototype) as object])
    hidden(prototype, 'toLocaleString', function (this: ArrayLike<unknown>, locales?: unknown, options?: unknown) {
      let out = '';
      for (let i = 0; i < this.length; i++) {
        const item = this[i] as { toLocaleString(locales?: unknown, options?: unknown): string } | undefined | null;
        out += `${i > 0 ? ',' : ''}${item === undefined || item === null ? '' : item.toLocaleString(locales, options)}`;
      }
      return out;
    });
}
