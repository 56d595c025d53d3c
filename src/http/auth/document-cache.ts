// Caches clients' documents for as long as their servers ask, within limits. Failures are never cached, and an expired
// document is used while its server cannot be reached.
import { type ClientDocument, type DocumentFault, readClientDocument } from './client-document.ts';
import { type DocumentFetch, DocumentUnreachable } from './document-fetch.ts';

type Entry = { readonly document: ClientDocument; readonly freshUntilMs: number };

const MIN_AGE_MS = 5 * 60_000;
const MAX_AGE_MS = 24 * 3_600_000;
const MAX_ENTRIES = 256;
const MAX_AT_ONCE = 4;

export class DocumentCache {
  readonly #fetch: DocumentFetch;
  readonly #now: () => number;
  /** In the order of last use. */
  readonly #entries = new Map<string, Entry>();
  readonly #underWay = new Map<string, Promise<ClientDocument | DocumentFault>>();

  constructor(fetch: DocumentFetch, now: () => number) {
    this.#fetch = fetch;
    this.#now = now;
  }

  /**
   * `admit` is called before anything is fetched, and may throw.
   *
   * @throws DocumentUnreachable
   */
  async get(url: string, admit: () => Promise<void>): Promise<ClientDocument | DocumentFault> {
    const known = this.#entries.get(url);
    if (known !== undefined && known.freshUntilMs > this.#now()) {
      this.#keep(url, known);
      return known.document;
    }
    await admit();
    try {
      return await this.#join(url);
    } catch (caught) {
      if (known !== undefined && caught instanceof DocumentUnreachable) return known.document;
      throw caught;
    }
  }

  /** Callers that want the same URL share one fetch. */
  #join(url: string): Promise<ClientDocument | DocumentFault> {
    const open = this.#underWay.get(url);
    if (open !== undefined) return open;
    if (this.#underWay.size >= MAX_AT_ONCE)
      return Promise.reject(new DocumentUnreachable(`${MAX_AT_ONCE} others are being loaded`));
    const mine = this.#load(url).finally(() => this.#underWay.delete(url));
    this.#underWay.set(url, mine);
    return mine;
  }

  async #load(url: string): Promise<ClientDocument | DocumentFault> {
    const { json, maxAgeMs = 0 } = await this.#fetch.fetch(url);
    const document = readClientDocument(json, url);
    if ('fault' in document) return document;
    const ageMs = Math.min(Math.max(maxAgeMs, MIN_AGE_MS), MAX_AGE_MS);
    this.#keep(url, { document, freshUntilMs: this.#now() + ageMs });
    return document;
  }

  #keep(url: string, entry: Entry): void {
    this.#entries.delete(url);
    this.#entries.set(url, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > MAX_ENTRIES && oldest !== undefined) this.#entries.delete(oldest);
  }
}
