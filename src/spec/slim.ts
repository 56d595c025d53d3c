// Reduces an OpenAPI document (ours, or an untrusted one fetched while running) to a Description: operations that an
// API key may call, and their successful responses. Pure.
import { GatewayError } from '../errors.ts';
import { isRecord } from '../ground/json.ts';
import { omitUndefined } from '../ground/omit-undefined.ts';
import {
  type Answer,
  type Body,
  type Description,
  EFFECTS,
  METHODS,
  type Note,
  type Operation,
  type Parameter,
} from './description.ts';
import { isRefusedSegment } from './refused.ts';
import { entriesOf, type JsonObject, MAX_TEXT_CHARS, Resolver, textOf } from './resolve.ts';
import { layWords } from './words.ts';

const MAX_OPERATIONS = 1_000;
/** Maximum size of the result as JSON, because it is part of every guest image. E2B's is a sixth of it. */
const MAX_PREPARED_CHARS = 500_000;
const MAX_KEYWORDS = 40;
const MAX_WORD_CHARS = 80;
const PATH = /^(?:\/(?:[A-Za-z0-9_~-][A-Za-z0-9_.~-]*|\{[A-Za-z0-9_-]+\}))+$/;

/**
 * @param words our own description: its summaries, field texts, keywords and secret marks replace the document's for
 *   operations that are in both; its capabilities and synonyms are used.
 * @throws GatewayError `spec_invalid`, and no other error, for any document
 */
export function slim(document: unknown, words?: Description): Description {
  if (!isRecord(document) || !isRecord(document.paths)) {
    throw new GatewayError('spec_invalid', 'The description is not an OpenAPI 3 document: it has no paths.');
  }
  if (typeof document.openapi !== 'string' || !/^3\.[01]\./.test(document.openapi)) {
    throw new GatewayError('spec_invalid', 'The description is not an OpenAPI document of version 3.0 or 3.1.');
  }
  const resolver = new Resolver(document);
  const keySchemes = apiKeySchemes(document, resolver);
  const operations = entriesOf(document.paths).flatMap(([path, item]) =>
    isReachable(path) ? operationsAt(path, item, document, resolver, keySchemes) : [],
  );
  if (operations.length === 0)
    throw new GatewayError('spec_invalid', 'The description has no operation an API key may call.');
  if (operations.length > MAX_OPERATIONS)
    throw new GatewayError('spec_invalid', `The description has more than ${MAX_OPERATIONS} operations.`);

  const info = isRecord(document.info) ? document.info : {};
  const description: Description = {
    title: textOf(info.title, MAX_WORD_CHARS) ?? 'API',
    version: textOf(info.version, MAX_WORD_CHARS) ?? '0',
    operations: operations.sort((a, b) => compare(a.path, b.path) || compare(a.method, b.method)),
    capabilities: [],
    notes: notesOf(document['x-notes']),
    synonyms: Object.fromEntries(entriesOf(document['x-synonyms']).map(([word, others]) => [word, wordList(others)])),
  };
  const whole = words === undefined ? description : layWords(description, words);
  if (JSON.stringify(whole).length > MAX_PREPARED_CHARS) {
    throw new GatewayError('spec_invalid', 'The description is too large once it is prepared.');
  }
  return whole;
}

const MAX_NOTES = 50;
const MAX_NOTE_CHARS = 3_000;

function notesOf(node: unknown): Note[] {
  return entriesOf(node)
    .slice(0, MAX_NOTES)
    .flatMap(([id, note]) => {
      if (!isRecord(note)) return [];
      const summary = textOf(note.summary, MAX_TEXT_CHARS);
      if (summary === undefined) return [];
      const text = textOf(note.text, MAX_NOTE_CHARS) ?? summary;
      return [{ id: id.slice(0, MAX_WORD_CHARS), summary, text, keywords: wordList(note.keywords) }];
    });
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function isReachable(path: string): boolean {
  return path.length <= 300 && PATH.test(path) && !path.split('/').some(isRefusedSegment);
}

/** Names of the security schemes that use an `X-API-Key` header. */
function apiKeySchemes(document: JsonObject, resolver: Resolver): ReadonlySet<string> {
  const components = isRecord(document.components) ? document.components : {};
  const names = entriesOf(components.securitySchemes).flatMap(([name, node]) => {
    const scheme = resolver.follow(node);
    const isKey =
      scheme?.type === 'apiKey' && scheme.in === 'header' && String(scheme.name).toLowerCase() === 'x-api-key';
    return isKey ? [name] : [];
  });
  return new Set(names);
}

/** Whether one of the ways to authenticate needs only the key, or nothing. */
function isCallable(security: unknown, keySchemes: ReadonlySet<string>): boolean {
  if (!Array.isArray(security) || security.length === 0) return true;
  return security.some(way => isRecord(way) && Object.keys(way).every(name => keySchemes.has(name)));
}

function operationsAt(
  path: string,
  item: unknown,
  document: JsonObject,
  resolver: Resolver,
  keySchemes: ReadonlySet<string>,
): Operation[] {
  const pathItem = resolver.follow(item);
  if (pathItem === undefined) return [];
  return entriesOf(pathItem).flatMap(([key, node]) => {
    const method = METHODS.find(each => each.toLowerCase() === key);
    if (method === undefined || !isRecord(node) || !isCallable(node.security ?? document.security, keySchemes))
      return [];
    const body = bodyOf(node.requestBody, resolver);
    const description = textOf(node.description);
    const operation: Operation = {
      id: `${method} ${path as `/${string}`}`,
      method,
      path,
      summary: textOf(node.summary, 160) ?? textOf(node.description, 160) ?? `${method} ${path}`,
      ...omitUndefined({ description }),
      keywords: wordList(node['x-keywords']),
      deprecated: node.deprecated === true,
      ...effectOf(node),
      parameters: parametersOf(path, pathItem.parameters, node.parameters, resolver),
      ...omitUndefined({ body }),
      answers: answersOf(node.responses, resolver),
    };
    return [operation];
  });
}

function effectOf(node: JsonObject): Pick<Operation, 'effect' | 'resource'> {
  const effect = EFFECTS.find(each => each === node['x-effect']);
  if (effect === undefined) return {};
  const resource = textOf(node['x-resource'], MAX_WORD_CHARS);
  return { effect, ...omitUndefined({ resource }) };
}

function wordList(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap(word => textOf(word, MAX_WORD_CHARS) ?? []).slice(0, MAX_KEYWORDS);
}

/** Parameters of the operation override those of the path. An undeclared name in the path is a required string. */
function parametersOf(path: string, shared: unknown, own: unknown, resolver: Resolver): Parameter[] {
  const byPlace = new Map<string, Parameter>();
  for (const node of [shared, own].flatMap(list => (Array.isArray(list) ? list : []))) {
    const parameter = parameterOf(resolver.follow(node), path, resolver);
    if (parameter !== undefined) byPlace.set(`${parameter.in} ${parameter.name}`, parameter);
  }
  for (const [, name = ''] of path.matchAll(/\{([^}]+)\}/g)) {
    const place = `path ${name}`;
    if (!byPlace.has(place)) byPlace.set(place, { name, in: 'path', required: true, schema: { type: 'string' } });
  }
  return [...byPlace.values()];
}

function parameterOf(node: JsonObject | undefined, path: string, resolver: Resolver): Parameter | undefined {
  const name = node?.name;
  const place = node?.in;
  if (node === undefined || typeof name !== 'string' || name === '' || name.length > 100) return undefined;
  if (place !== 'path' && place !== 'query' && place !== 'header') return undefined;
  if (place === 'path' && !path.includes(`{${name}}`)) return undefined;
  const { description: inSchema, ...schema } = resolver.schema(node.schema ?? firstContent(node.content)?.[1]);
  const description = textOf(node.description) ?? inSchema;
  const joined = schema.type === 'array' && node.explode === false;
  return {
    name,
    in: place,
    required: place === 'path' || node.required === true,
    schema,
    ...(typeof description === 'string' ? { description } : {}),
    ...(joined ? { explode: false } : {}),
  };
}

/** Prefers JSON if there are several content types. */
function firstContent(content: unknown): [type: string, schema: unknown] | undefined {
  const types = entriesOf(content).filter(([type]) => /^[\w.+-]+\/[\w.+*-]+$/.test(type) && type.length <= 100);
  const [type, media] = types.find(([name]) => name === 'application/json') ?? types[0] ?? [];
  return type === undefined || !isRecord(media) ? undefined : [type, media.schema];
}

function bodyOf(node: unknown, resolver: Resolver): Body | undefined {
  const body = resolver.follow(node);
  const content = firstContent(body?.content);
  if (body === undefined || content === undefined) return undefined;
  return { required: body.required === true, contentType: content[0], schema: resolver.schema(content[1]) };
}

function answersOf(responses: unknown, resolver: Resolver): Record<string, Answer> {
  const answers: Record<string, Answer> = {};
  for (const [status, node] of entriesOf(responses)) {
    if (!/^2(?:\d\d|XX)$/.test(status)) continue;
    const answer = resolver.follow(node) ?? {};
    const content = firstContent(answer.content);
    const description = textOf(answer.description, 160);
    const headers = entriesOf(answer.headers).map(([name, header]) => [
      name.toLowerCase().slice(0, 100),
      textOf(resolver.follow(header)?.description, MAX_TEXT_CHARS) ?? '',
    ]);
    answers[status] = {
      ...omitUndefined({ description }),
      ...(content === undefined ? {} : { schema: resolver.schema(content[1]) }),
      ...(headers.length === 0 ? {} : { headers: Object.fromEntries(headers) }),
    };
  }
  return answers;
}
