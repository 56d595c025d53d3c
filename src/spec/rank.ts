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

type Entry = { id: number; name: string; summary: string; keywords: string; fields: string; text: string };

const BOOST = { name: 4, summary: 3, keywords: 3, fields: 1, text: 0.6 };
/** A match by a synonym counts less than a match by the word itself. */
const SYNONYM_WEIGHT = 0.8;
/** An entry that has a word only in other fields mentions it, but is probably not about it. */
const NAMING: ReadonlySet<string> = new Set(['name', 'summary', 'keywords']);
const MENTION_WEIGHT = 0.6;
/** Weight of matches of typos and of beginnings of words. */
const LOOSE_WEIGHT = 0.7;
const DEPRECATED_WEIGHT = 0.5;

type Hits = readonly (readonly [id: number, score: number])[];

export type Ranker = (query: string, limit: number) => Found[];

export function createRanker(description: Description): Ranker {
  const { notes = [] } = description;
  const items = [
    ...description.capabilities.map(item => ({ operation: item.id, summary: item.summary, deprecated: false })),
    ...notes.map(item => ({ operation: item.id, summary: item.summary, deprecated: false })),
    ...description.operations.map(item => ({ operation: item.id, summary: item.summary, deprecated: item.deprecated })),
  ];
  const entries = [
    ...description.capabilities.map(({ id, summary, keywords, signature, description: text = '' }) => ({
      // `commands run` without `Sandbox`, because every method begins with it and few are about the sandbox itself.
      name: id.split('.').length > 2 ? id.split('.').slice(1).join(' ') : id,
      summary,
      keywords: keywords.join(' '),
      fields: signature,
      text,
    })),
    ...notes.map(({ id, summary, keywords }) => ({
      name: id,
      summary,
      keywords: keywords.join(' '),
      fields: '',
      text: '',
    })),
    ...description.operations.map(item => ({
      // Summaries begin with the verb that people search for (list, create, pause), which paths do not contain.
      name: `${item.id} ${item.summary.split(' ', 1)[0] ?? ''}`,
      summary: item.summary,
      keywords: item.keywords.join(' '),
      fields: fieldsOf(item).join(' '),
      text: item.description ?? '',
    })),
  ].map((entry, id): Entry => ({ id, ...entry }));

  const index = new MiniSearch<Entry>({ fields: Object.keys(BOOST), tokenize: termsOf, processTerm: term => term });
  index.addAll(entries);
  const canonical = canonicalTerms(description.synonyms);

  /** Scores entries from 0 to 1 for one word: exact matches or, if there are none, prefixes and similar words. */
  const compute = (word: string): Hits => {
    const options = { boost: BOOST, tokenize: (text: string) => [text] };
    const exact = index.search(word, options);
    const fuzzy = word.length >= 7 ? 2 : word.length >= 4 ? 1 : false;
    const found = exact.length > 0 ? exact : index.search(word, { ...options, prefix: word.length >= 3, fuzzy });
    const weight = exact.length > 0 ? 1 : LOOSE_WEIGHT;
    const top = found[0]?.score ?? 1;
    // The square root keeps one rare word from dominating the result.
    return found.map(({ id, score, match }) => {
      const named = Object.values(match).some(fields => fields.some(field => NAMING.has(field)));
      return [id, weight * (named ? 1 : MENTION_WEIGHT) * Math.sqrt(score / top)];
    });
  };
  // Known words are looked up now, because the index is built once per image and every search starts from that image.
  const known = new Map<string, Hits>();
  for (const { name, summary, keywords } of entries) {
    for (const word of termsOf(`${name} ${summary} ${keywords}`)) if (!known.has(word)) known.set(word, compute(word));
  }
  for (const words of canonical.values()) {
    for (const word of words) if (!known.has(word)) known.set(word, compute(word));
  }
  const hitsOf = (word: string): Hits => known.get(word) ?? compute(word);

  /** Best score per entry for one term of the query, by the term itself or by a word it is a synonym of. */
  const lookUp = (term: string): Map<number, number> => {
    const best = new Map(hitsOf(term));
    for (const word of canonical.get(term) ?? []) {
      for (const [id, score] of hitsOf(word)) best.set(id, Math.max(best.get(id) ?? 0, score * SYNONYM_WEIGHT));
    }
    return best;
  };

  return (query, limit) => {
    const terms = questionTerms(query, description.title);
    const totals = new Map<number, { score: number; hits: number }>();
    for (const term of terms) {
      for (const [id, points] of lookUp(term)) {
        const { score, hits } = totals.get(id) ?? { score: 0, hits: 0 };
        totals.set(id, { score: score + points, hits: hits + 1 });
      }
    }
    return [...totals]
      .flatMap(([id, { score, hits }]): (Found & { id: number })[] => {
        const item = items[id];
        if (item === undefined) return [];
        const covered = hits / terms.length;
        const points = (score / terms.length) * (0.4 + 0.6 * covered) * (item.deprecated ? DEPRECATED_WEIGHT : 1);
        const { operation, summary } = item;
        return [
          {
            id,
            operation,
            summary,
            score: Math.round(points * 1000) / 1000,
            ...(item.deprecated ? { deprecated: true } : {}),
          },
        ];
      })
      .sort((a, b) => b.score - a.score || a.id - b.id)
      .slice(0, limit)
      .map(({ id: _, ...found }) => found);
  };
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
