// Stands in for src/spec/search.ts until that lands.
import type { Description } from '../../spec/description.ts';

type Found = { operation: string; summary: string; score: number };

export function createSearch(description: Description) {
  const paths: Record<string, Record<string, unknown>> = {};
  const operations = description.operations ?? [];
  for (const { path, method, ...rest } of operations) paths[path] = { ...paths[path], [method.toLowerCase()]: rest };
  const find = (query: string, { limit = 10 } = {}): Found[] => {
    const words = String(query).toLowerCase().split(/\W+/);
    const scored = operations.map(({ id, summary, keywords }) => {
      const text = `${id} ${summary} ${keywords.join(' ')}`.toLowerCase();
      return { operation: id, summary, score: words.filter(word => text.includes(word)).length };
    });
    return scored
      .filter(hit => hit.score > 0)
      .sort((a, b) => b.score - a.score)
      .slice(0, limit);
  };
  const describe = (id: string) => operations.find(operation => operation.id === id)?.summary ?? `No operation ${id}`;
  return { spec: { paths }, find, describe };
}
