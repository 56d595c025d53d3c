// Ranks operations and methods for a query (keywords, a question, with typos): looks up every term with its synonyms.
// Pure, and without Node: runs inside the guest, where the index is built once per image.
import MiniSearch from 'minisearch';
import type { Description, Operation, Schema } from './description.ts';
import { isSchema } from './description.ts';
import { questionTerms, termsOf } from './terms.ts';

export type Found = {
  readonly operation: string;
  readonly summary: string;
  readonly score: number;
  readonly deprecated?: true;
};

/** What can be found, with the texts that are searched. `id` is its place in the list. */
type Item = {
  readonly id: number;
  readonly operation: string;
  readonly deprecated: boolean;
  readonly name: string;
  readonly summary: string;
  readonly keywords: string;
  readonly fields: string;
  readonly text: string;
};

const BOOST = { name: 4, summary: 3, keywords: 3, fields: 1, text: 0.6 };
/** A match by a synonym counts less than a match by the word itself. */
const SYNONYM_WEIGHT = 0.8;
/** An entry that has a word only in other fields mentions it, but is probably not about it. */
const NAMING: ReadonlySet<string> = new Set(['name', 'summary', 'keywords']);
const MENTION_WEIGHT = 0.6;
/** Weight of matches of typos and of beginnings of words. */
const LOOSE_WEIGHT = 0.7;
const DEPRECATED_WEIGHT = 0.5;

type Hits = readonly (readonly [item: Item, score: number])[];

export class Ranker {
  readonly #title: string;
  readonly #items: readonly Item[];
  readonly #index = new MiniSearch<Item>({ fields: Object.keys(BOOST), tokenize: termsOf, processTerm: term => term });
  readonly #canonical: ReadonlyMap<string, readonly string[]>;
  readonly #known = new Map<string, Hits>();

  constructor(description: Description) {
    this.#title = description.title;
    this.#items = itemsOf(description);
    this.#index.addAll(this.#items);
    this.#canonical = canonicalTerms(description.synonyms);
    // Known words are looked up now, because the index is built once per image and every search starts from that image.
    for (const { name, summary, keywords } of this.#items) this.#learn(termsOf(`${name} ${summary} ${keywords}`));
    for (const words of this.#canonical.values()) this.#learn(words);
  }

  #learn(words: readonly string[]): void {
    for (const word of words) if (!this.#known.has(word)) this.#known.set(word, this.#compute(word));
  }

  /** Best first, by the scores of all terms of the query. */
  rank(query: string, limit: number): Found[] {
    const terms = questionTerms(query, this.#title);
    const totals = new Map<Item, { score: number; hits: number }>();
    for (const term of terms) {
      for (const [item, points] of this.#lookUp(term)) {
        const { score, hits } = totals.get(item) ?? { score: 0, hits: 0 };
        totals.set(item, { score: score + points, hits: hits + 1 });
      }
    }
    const scored = [...totals].map(([item, { score, hits }]) => {
      const covered = hits / terms.length;
      const points = (score / terms.length) * (0.4 + 0.6 * covered) * (item.deprecated ? DEPRECATED_WEIGHT : 1);
      return { item, score: Math.round(points * 1000) / 1000 };
    });
    return scored
      .sort((a, b) => b.score - a.score || a.item.id - b.item.id)
      .slice(0, limit)
      .map(({ item: { operation, summary, deprecated }, score }) => ({
        operation,
        summary,
        score,
        ...(deprecated && { deprecated }),
      }));
  }

  /** Best score per item for one term of the query, by the term itself or by a word it is a synonym of. */
  #lookUp(term: string): Map<Item, number> {
    const best = new Map(this.#hitsOf(term));
    for (const word of this.#canonical.get(term) ?? []) {
      for (const [item, score] of this.#hitsOf(word))
        best.set(item, Math.max(best.get(item) ?? 0, score * SYNONYM_WEIGHT));
    }
    return best;
  }

  #hitsOf(word: string): Hits {
    return this.#known.get(word) ?? this.#compute(word);
  }

  /** Scores items from 0 to 1 for one word: exact matches or, if there are none, prefixes and similar words. */
  #compute(word: string): Hits {
    const options = { boost: BOOST, tokenize: (text: string) => [text] };
    const exact = this.#index.search(word, options);
    const fuzzy = word.length >= 7 ? 2 : word.length >= 4 ? 1 : false;
    const found = exact.length > 0 ? exact : this.#index.search(word, { ...options, prefix: word.length >= 3, fuzzy });
    const weight = exact.length > 0 ? 1 : LOOSE_WEIGHT;
    const top = found[0]?.score ?? 1;
    return found.map(({ id, score, match }) => {
      const named = Object.values(match).some(fields => fields.some(field => NAMING.has(field)));
      // The square root keeps one rare word from dominating the result.
      return [this.#items[id] as Item, weight * (named ? 1 : MENTION_WEIGHT) * Math.sqrt(score / top)];
    });
  }
}

function itemsOf({ capabilities, notes = [], operations }: Description): Item[] {
  return [
    ...capabilities.map(({ id, summary, keywords, signature, description: text = '' }) => ({
      operation: id,
      deprecated: false,
      // `commands run` without `Sandbox`, because every method begins with it and few are about the sandbox itself.
      name: id.split('.').length > 2 ? id.split('.').slice(1).join(' ') : id,
      summary,
      keywords: keywords.join(' '),
      fields: signature,
      text,
    })),
    ...notes.map(({ id, summary, keywords }) => ({
      operation: id,
      deprecated: false,
      name: id,
      summary,
      keywords: keywords.join(' '),
      fields: '',
      text: '',
    })),
    ...operations.map(operation => ({
      operation: operation.id,
      deprecated: operation.deprecated,
      // Summaries begin with the verb that people search for (list, create, pause), which paths do not contain.
      name: `${operation.id} ${operation.summary.split(' ', 1)[0] ?? ''}`,
      summary: operation.summary,
      keywords: operation.keywords.join(' '),
      fields: fieldsOf(operation).join(' '),
      text: operation.description ?? '',
    })),
  ].map((item, id) => ({ id, ...item }));
}

/** Stem of a synonym -> stems of the words it stands for. */
function canonicalTerms(synonyms: Description['synonyms'] = {}): Map<string, string[]> {
  const out = new Map<string, string[]>();
  for (const [word, others] of Object.entries(synonyms)) {
    const targets = termsOf(word);
    for (const other of others) {
      for (const term of termsOf(other)) out.set(term, [...(out.get(term) ?? []), ...targets]);
    }
  }
  return out;
}

/** Names of all fields in requests and responses. */
function fieldsOf(operation: Operation): string[] {
  return [
    ...operation.parameters.map(({ name }) => name),
    ...(operation.body === undefined ? [] : namesIn(operation.body.schema)),
    ...Object.values(operation.answers).flatMap(({ schema }) => (schema === undefined ? [] : namesIn(schema))),
  ];
}

function namesIn(schema: Schema, depth = 0): string[] {
  if (depth > 6) return [];
  const below = [
    schema.items,
    schema.additionalProperties,
    ...listOf(schema.oneOf),
    ...listOf(schema.anyOf),
    ...listOf(schema.allOf),
  ];
  const own = isSchema(schema.properties) ? Object.entries(schema.properties) : [];
  return [
    ...own.flatMap(([name, child]) => [name, ...(isSchema(child) ? namesIn(child, depth + 1) : [])]),
    ...below.flatMap(child => (isSchema(child) ? namesIn(child, depth + 1) : [])),
  ];
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
