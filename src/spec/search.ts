// The globals of the search tool: `spec`, `find` and `describe`. Pure, and without Node: bundled into the guest's
// prelude and built once per image. Throws TypeErrors, as code in the guest expects.
import type { Description, Operation } from './description.ts';
import { type Spec, toSpec } from './openapi.ts';
import { type Found, Ranker } from './rank.ts';
import { capabilitySignature, operationSignature } from './signature.ts';

const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 100;
/** The ids of notes about what the gateway does not offer begin with this. */
const NOT_AVAILABLE = 'not available:';
const EXAMPLE = "find('pause a sandbox')";

export type Search = {
  /** In the form of OpenAPI: `Object.entries(spec.paths)`. `spec.sandbox` lists the methods of `Sandbox`. */
  readonly spec: Spec;
  /**
   * Best first; [] if nothing matches. describe() takes each `operation`: `POST /v2/sandboxes` or `Sandbox.create`.
   * @throws TypeError for a query that is not text, or a limit that is not a positive whole number
   */
  find(query: string, options?: { limit?: number }): Found[];
  /**
   * Returns a signature in TypeScript style. Takes `POST /v2/sandboxes` in any case, also with ids for `{sandboxID}`, a
   * path, a `Sandbox.…` name or its end, a note, or a hit of find(). For an unknown name it returns the nearest names.
   */
  describe(operation: string): string;
};

export function createSearch(description: Description): Search {
  const ranker = new Ranker(description);
  return {
    spec: toSpec(description),
    find(query, options) {
      const text = checkQuery(query);
      return namedFirst(description, text, ranker.rank(text, MAX_LIMIT)).slice(0, checkLimit(options));
    },
    describe(operation) {
      const name = nameOf(operation);
      const texts = lookUp(description, name);
      if (texts.length > 0) return texts.join('\n\n');
      const near = ranker.rank(name, 5).map(found => found.operation);
      const refused = ranker.rank(name.replace(/^[a-z]+ (?=\/)/i, ''), 1)[0];
      if (refused?.operation.startsWith(NOT_AVAILABLE)) return `${refused.operation}\n${refused.summary}`;
      const hint = near.length > 0 ? `Nearest: ${near.join(', ')}.` : `Search with ${EXAMPLE}.`;
      return `Nothing is called ${JSON.stringify(name.slice(0, 200))}. ${hint}`;
    },
  };
}

function checkQuery(query: unknown): string {
  if (typeof query !== 'string' || query.trim() === '') {
    throw new TypeError(`find() needs a text to look for, e.g. ${EXAMPLE}; it got ${kindOf(query)}.`);
  }
  return query;
}

/** An operation that the query names by path, with or without method, comes first. */
function namedFirst(description: Description, query: string, ranked: readonly Found[]): Found[] {
  const named = byPath(description, query.trim().replace(/\s+/g, ' ')).map(({ id, summary, deprecated }): Found => {
    return { operation: id, summary, score: 1, ...(deprecated ? { deprecated } : {}) };
  });
  return [...named, ...ranked.filter(found => !named.some(({ operation }) => operation === found.operation))];
}

function checkLimit(options: unknown): number {
  if (options === undefined || options === null) return DEFAULT_LIMIT;
  const limit = typeof options === 'object' ? (options as { limit?: unknown }).limit : options;
  if (limit === undefined) return DEFAULT_LIMIT;
  if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 1) {
    throw new TypeError(
      `find()'s limit is a whole number from 1 to ${MAX_LIMIT}, e.g. find('logs', { limit: 5 }); it got ${kindOf(limit)}.`,
    );
  }
  return Math.min(limit, MAX_LIMIT);
}

/** Accepts text, a hit of find(), or { method, path } as in api.request. */
function nameOf(value: unknown): string {
  if (typeof value === 'string' && value.trim() !== '') return value.trim().replace(/\s+/g, ' ').slice(0, 500);
  if (typeof value === 'object' && value !== null) {
    const { operation, method, path } = value as Record<string, unknown>;
    if (typeof operation === 'string') return nameOf(operation);
    if (typeof method === 'string' && typeof path === 'string') return nameOf(`${method} ${path}`);
  }
  throw new TypeError(
    `describe() needs the name of an operation, e.g. describe('POST /v2/sandboxes') or describe('Sandbox.create'); it got ${kindOf(value)}.`,
  );
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return value.trim() === '' ? 'an empty text' : JSON.stringify(value.slice(0, 40));
  if (typeof value === 'number') return String(value);
  return Array.isArray(value) ? 'an array' : typeof value;
}

function lookUp(description: Description, name: string): string[] {
  const note = description.notes?.find(({ id }) => id.toLowerCase() === name.toLowerCase());
  if (note !== undefined) return [`${note.id}\n${note.text}`];
  if (/^([a-z]+ )?\//i.test(name)) return byPath(description, name).map(operationSignature);
  const methodName = name.replace(/\(.*$/s, '').toLowerCase();
  if (methodName === 'sandbox') {
    const list = description.capabilities.map(({ id, mode, summary }) => `${id} (execute_${mode}): ${summary}`);
    return list.length === 0 ? [] : [list.join('\n')];
  }
  const exact = description.capabilities.filter(({ id }) => id.toLowerCase() === methodName);
  const tail = methodName.replace(/^(?:sandbox|sbx|sandboxes)\./, '');
  const ends = description.capabilities.filter(({ id }) => `.${id.toLowerCase()}`.endsWith(`.${tail}`));
  return (exact.length > 0 ? exact : ends.slice(0, 4)).map(capabilitySignature);
}

/** Finds operations by `post /v2/sandboxes/`, or all methods of a path. */
function byPath(description: Description, name: string): Operation[] {
  const [, method, target = ''] = /^(?:([a-z]+) )?(\/.*)$/i.exec(name) ?? [];
  const at = target === '' ? [] : operationsAt(description.operations, target);
  return method === undefined ? at : at.filter(operation => operation.method === method.toUpperCase());
}

/** The operations of the template that matches the path with the most literal segments. */
function operationsAt(operations: readonly Operation[], target: string): Operation[] {
  const wanted = segmentsOf(target);
  let best: Operation[] = [];
  let bestLiterals = -1;
  for (const operation of operations) {
    const literals = literalsMatched(segmentsOf(operation.path), wanted);
    if (literals > bestLiterals) [best, bestLiterals] = [[operation], literals];
    else if (literals === bestLiterals && literals >= 0) best.push(operation);
  }
  const [first] = best;
  return first === undefined ? [] : best.filter(operation => operation.path === first.path);
}

function segmentsOf(path: string): string[] {
  return (path.split(/[?#]/, 1)[0] ?? '')
    .split('/')
    .filter(segment => segment !== '')
    .map(segment => segment.toLowerCase());
}

/** Returns -1 if the template does not match. */
function literalsMatched(template: readonly string[], wanted: readonly string[]): number {
  if (template.length !== wanted.length) return -1;
  let literals = 0;
  for (const [at, segment] of template.entries()) {
    if (segment === wanted[at]) literals += 1;
    else if (!segment.startsWith('{')) return -1;
  }
  return literals;
}
