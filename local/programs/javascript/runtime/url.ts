// URLSearchParams, which QuickJS's URL comes without.

export class URLSearchParams {
  #pairs: [string, string][];
  constructor(init: unknown = '') {
    if (typeof init === 'string') this.#pairs = parse(init.replace(/^\?/, ''));
    else if (typeof init === 'object' && init !== null && Symbol.iterator in init) {
      this.#pairs = Array.from(init as Iterable<[unknown, unknown]>, ([name, value]) => [String(name), String(value)]);
    } else this.#pairs = Object.entries((init ?? {}) as object).map(([name, value]) => [name, String(value)]);
  }
  get(name: string): string | null {
    return this.#pairs.find(([key]) => key === name)?.[1] ?? null;
  }
  getAll(name: string): string[] {
    return this.#pairs.flatMap(([key, value]) => (key === name ? [value] : []));
  }
  has(name: string): boolean {
    return this.get(name) !== null;
  }
  append(name: string, value: unknown): void {
    this.#pairs.push([name, String(value)]);
  }
  set(name: string, value: unknown): void {
    this.delete(name);
    this.append(name, value);
  }
  delete(name: string): void {
    this.#pairs = this.#pairs.filter(([key]) => key !== name);
  }
  forEach(each: (value: string, name: string) => void): void {
    for (const [name, value] of this.#pairs) each(value, name);
  }
  keys(): IterableIterator<string> {
    return this.#pairs.map(([name]) => name)[Symbol.iterator]();
  }
  values(): IterableIterator<string> {
    return this.#pairs.map(([, value]) => value)[Symbol.iterator]();
  }
  entries(): IterableIterator<[string, string]> {
    return this.#pairs.slice()[Symbol.iterator]();
  }
  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }
  toString(): string {
    return this.#pairs.map(pair => pair.map(encode).join('=')).join('&');
  }
}

function parse(query: string): [string, string][] {
  return query
    .split('&')
    .filter(part => part !== '')
    .map(part => {
      const at = part.indexOf('=');
      return at === -1 ? [decode(part), ''] : [decode(part.slice(0, at)), decode(part.slice(at + 1))];
    });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replace(/\+/g, ' '));
  } catch {
    return text;
  }
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/%20/g, '+');
}

const prototype = globalThis.URL.prototype as object;
if (!('searchParams' in prototype)) {
  Object.defineProperty(prototype, 'searchParams', {
    configurable: true,
    get(this: { search: string }) {
      return new URLSearchParams(this.search);
    },
  });
}
