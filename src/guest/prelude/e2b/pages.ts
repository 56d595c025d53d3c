// Lists in pages: the SDK's paginator. It can also be awaited, which returns all pages as one array, because models write
// both.
import { hint, plain, revive } from './calls.ts';
import { allNamed, OF_SANDBOX } from './misnamed.ts';

type Page = { readonly items: unknown[]; readonly nextToken?: string };

/** The page limit of E2B's API. */
const MAX_PAGE = 100;

/** The same message as in the SDK. */
const noMore = () => new Error('No more items to fetch');

export class Pages {
  readonly #next: (options: object) => Promise<unknown>;
  readonly #options: object;
  #token: string | undefined;
  #more = true;

  constructor(options: unknown, next: (options: object) => Promise<unknown>) {
    let checked = {};
    try {
      checked = plain(options);
      this.#next = next;
    } catch (error) {
      // The SDK's list() does not throw; the first page rejects.
      this.#next = () => Promise.reject(error);
    }
    this.#options = checked;
    this.#token = (checked as { nextToken?: string }).nextToken;
  }

  get hasNext(): boolean {
    return this.#more;
  }
  get nextToken(): string | undefined {
    return this.#token;
  }

  async nextItems(): Promise<unknown[]> {
    if (!this.#more) throw noMore();
    const { limit } = this.#options as { limit?: number };
    const options = {
      ...this.#options,
      ...(limit !== undefined && limit > MAX_PAGE && { limit: MAX_PAGE }),
      ...(this.#token === undefined ? {} : { nextToken: this.#token }),
    };
    const { items, nextToken } = (await this.#next(options)) as Page;
    this.#token = nextToken;
    this.#more = nextToken !== undefined;
    return allNamed(revive(items), OF_SANDBOX) as unknown[];
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<unknown> {
    while (this.#more) yield* await this.nextItems();
  }

  // biome-ignore lint/suspicious/noThenProperty: `await Sandbox.list()` is what models write
  then<A, B>(resolve?: (items: unknown[]) => A, reject?: (error: unknown) => B): Promise<A | B> {
    return this.#all().then(resolve, reject) as Promise<A | B>;
  }

  async #all(): Promise<unknown[]> {
    const { limit } = this.#options as { limit?: number };
    const all: unknown[] = [];
    while (this.#more && (limit === undefined || !(limit > 0) || all.length < limit))
      all.push(...(await this.nextItems()));
    return asPage(limit === undefined ? all : all.slice(0, limit));
  }
}

hint(Pages.prototype, 'property', [
  [
    'An `await` is missing: (await Sandbox.list()) is an array.',
    'length map filter find forEach some every reduce slice at items',
  ],
]);

/** An awaited list also has the paginator's members, and acts as one page with all items. */
function asPage(all: unknown[]): unknown[] {
  let read = false;
  return Object.defineProperties(all, {
    hasNext: { get: () => !read },
    nextItems: {
      value: async () => {
        if (read) throw noMore();
        read = true;
        return all;
      },
    },
  });
}
