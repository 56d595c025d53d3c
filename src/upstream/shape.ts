// Reads the argument of api.request() into known fields. Checks only its form; operations.ts and validate.ts decide
// which operation it is and whether the values fit.
import { z } from 'zod';
import { GatewayError } from '../errors.ts';
import { tryParseJson } from '../ground/json.ts';
import { describeExcess, type JsonLimits, judgeJson } from '../ground/json-size.ts';
import { METHODS, type Method } from '../spec/description.ts';
import { nearestName } from './nearest.ts';

const FIELDS = ['method', 'path', 'query', 'body', 'contentType', 'rawBody', 'headers', 'unchecked'] as const;
/** Names that other clients have for these fields. */
const OTHER_NAMES: Readonly<Record<string, (typeof FIELDS)[number]>> = {
  url: 'path',
  uri: 'path',
  endpoint: 'path',
  params: 'query',
  searchParams: 'query',
  data: 'body',
  json: 'body',
  payload: 'body',
};
const MAX_QUERY_CHARS = 16_384;
const MAX_ENTRIES = 200;
/** Limits of a body that is given as JSON text. Its length is limited together with the arguments of the call. */
const BODY_LIMITS: JsonLimits = {
  maxBytes: Number.POSITIVE_INFINITY,
  maxValues: 20_000,
  maxKeys: 20_000,
  maxDepth: 100,
  maxKeyBytes: 4_096,
};
/** Limits the number of mistakes that are described, since describing each takes time. */
const MAX_FIELDS = 50;
const MAX_REPORTED = 5;
const MEDIA_TYPE = /^[\w.+-]+\/[\w.+-]+(?:\s*;\s*[\w-]+=(?:[\w.+-]+|"[\w .+:/-]*"))*$/;
const ACCEPT = /^[\w.+*/;=, -]{1,256}$/;

const Shape = z.strictObject({
  method: z.string().nullish(),
  path: z.string(),
  query: z.record(z.string(), z.unknown()).nullish(),
  body: z.unknown().optional(),
  contentType: z.string().nullish(),
  rawBody: z.string().nullish(),
  headers: z.record(z.string(), z.string()).nullish(),
  unchecked: z.boolean().nullish(),
});

/** Name -> values as they are sent, one for each occurrence. */
export type Query = ReadonlyMap<string, readonly string[]>;

/** The parsed value if the content type is JSON, else the text. */
export type AskedBody = { readonly contentType: string } & (
  | { readonly text: string }
  | { readonly json: { readonly value: unknown } }
);

export type AskedRequest = {
  readonly method: Method;
  readonly path: string;
  readonly query: readonly (readonly [string, unknown])[];
  /** Unchecked: `readBody` reads it when everything else has been checked. */
  readonly given: { readonly body: unknown; readonly rawBody: string | undefined };
  readonly contentType: string | undefined;
  readonly accept: string | undefined;
  readonly unchecked: boolean;
};

/** Number of entries of an object; 0 for anything else. */
const countOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? Object.keys(value).length : 0;

const invalid = (detail: string) => new GatewayError('request_invalid', detail);

/**
 * Reads everything except for the body, which is the most work.
 *
 * @throws GatewayError `request_invalid`, or `method_refused` for a method no operation can have.
 */
export function readRequest(raw: unknown): AskedRequest {
  if (countOf(raw) > MAX_FIELDS) throw invalid(`api.request takes one object with ${FIELDS.join(', ')}.`);
  const { query: names, headers: fields } = (raw ?? {}) as { query?: unknown; headers?: unknown };
  if (countOf(names) > MAX_ENTRIES) throw invalid(`\`query\` has more than ${MAX_ENTRIES} parameters.`);
  if (countOf(fields) > MAX_FIELDS) throw invalid(`\`headers\` has more than ${MAX_FIELDS} fields.`);
  const parsed = Shape.safeParse(raw);
  if (!parsed.success) throw invalid(describeShape(raw, parsed.error));
  const { path, query, unchecked } = parsed.data;
  const method = readMethod(parsed.data.method ?? 'GET');
  const headers = readHeaders(parsed.data.headers ?? {}, parsed.data.contentType ?? undefined);
  const given = { body: parsed.data.body ?? undefined, rawBody: parsed.data.rawBody ?? undefined };
  if ((given.body ?? given.rawBody) !== undefined && (method === 'GET' || method === 'HEAD')) {
    throw invalid(`${method} carries no body. Put parameters into \`query\`, or name another \`method\`.`);
  }
  return {
    method,
    path,
    query: Object.entries(query ?? {}),
    given,
    contentType: headers.contentType,
    accept: headers.accept,
    unchecked: unchecked === true,
  };
}

/** Reads only method and path, of a request that may be wrong otherwise. @throws the errors of readRequest */
export function readTarget(raw: unknown): Pick<AskedRequest, 'method' | 'path'> {
  const { method, path } = (raw ?? {}) as { method?: unknown; path?: unknown };
  if (typeof path !== 'string') throw invalid('`path` must be a string.');
  return { method: readMethod(typeof method === 'string' ? method : 'GET'), path };
}

function describeShape(raw: unknown, error: z.ZodError): string {
  const example = 'e.g. api.request({ method: "GET", path: "/sandboxes", query: { limit: 10 } })';
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return `api.request takes one object, ${example}.`;
  const issue = error.issues[0];
  if (issue?.code === 'unrecognized_keys') return issue.keys.slice(0, MAX_REPORTED).map(unknownField).join(' ');
  const where = issue?.path.join('.') ?? 'request';
  if (where === 'path') return `\`path\` must be a string, ${example}.`;
  if (where === 'query') return '`query` must be an object of names and values, e.g. { limit: 10 }.';
  if (where.startsWith('headers')) return '`headers` must be an object of strings.';
  if (where === 'rawBody') return '`rawBody` must be a string. For JSON use `body`.';
  return `\`${where}\` has the wrong type; ${example}.`;
}

function unknownField(name: string): string {
  const meant = Object.hasOwn(OTHER_NAMES, name) ? OTHER_NAMES[name] : nearestName(name, FIELDS);
  const shown = JSON.stringify(name.slice(0, 60));
  return meant === undefined
    ? `api.request has no field ${shown}. It takes ${FIELDS.join(', ')}.`
    : `api.request has no field ${shown}: use \`${meant}\`.`;
}

function readMethod(written: string): Method {
  const method = METHODS.find(each => each === written.toUpperCase());
  if (method !== undefined) return method;
  throw new GatewayError(
    'method_refused',
    `${JSON.stringify(written.slice(0, 20))} is not sent. Use ${METHODS.join(', ')}.`,
  );
}

type Headers = { readonly contentType: string | undefined; readonly accept: string | undefined };

/** Rule 6: an allow-list. Only the gateway sets headers that name a caller, a host or a connection. */
function readHeaders(headers: Readonly<Record<string, string>>, field: string | undefined): Headers {
  let contentType = field;
  let accept: string | undefined;
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (lower === 'accept') accept = value;
    else if (lower === 'content-type') {
      if (contentType !== undefined && contentType !== value) throw invalid('Two different content types are given.');
      contentType = value;
    } else {
      throw invalid(
        `The header ${JSON.stringify(name.slice(0, 60))} is not sent: only content-type and accept are. The gateway adds the API key itself.`,
      );
    }
  }
  if (contentType !== undefined && !MEDIA_TYPE.test(contentType)) {
    throw invalid('The content type is not one, e.g. "application/json".');
  }
  if (accept !== undefined && !ACCEPT.test(accept))
    throw invalid('The accept header is not one, e.g. "application/json".');
  return { contentType, accept };
}

const isJson = (contentType: string) => /^application\/(?:[\w.+-]+\+)?json\b/i.test(contentType);

/** @throws GatewayError `request_invalid`, or `too_complex` for text that takes too long to parse */
export function readBody({ given, contentType: type }: AskedRequest): AskedBody | undefined {
  const { body, rawBody } = given;
  if (body !== undefined && rawBody !== undefined) throw invalid('Give `body` or `rawBody`, not both.');
  if (rawBody !== undefined && type === undefined) throw invalid('`rawBody` needs a `contentType`.');
  if (body === undefined && rawBody === undefined) return undefined;
  const contentType = type ?? 'application/json';
  const text = rawBody ?? (typeof body === 'string' ? body : undefined);
  if (!isJson(contentType)) {
    if (text === undefined) throw invalid('A body that is not JSON must be text: give it as `rawBody`.');
    return { contentType, text };
  }
  if (text === undefined) return { contentType, json: { value: body } };
  checkSize(text);
  // Models often stringify the body as for fetch(), so JSON text counts as the value it contains.
  const value = tryParseJson(text);
  if (value === undefined)
    throw invalid('The body is a string but not JSON. Give an object, or set `contentType` and use `rawBody`.');
  return { contentType, json: { value } };
}

/** The body as it is sent. */
export const textOf = (body: AskedBody): string => ('text' in body ? body.text : JSON.stringify(body.json.value));

function checkSize(text: string): void {
  const verdict = judgeJson(text, BODY_LIMITS);
  if (!verdict.fits)
    throw new GatewayError(
      'too_complex',
      `The body holds ${describeExcess(verdict.excess)}. Send less at once, or put the data into a sandbox file.`,
    );
}

/**
 * Reads the query as strings, from the path after `?` and from `query`. A name may be in only one of the two. `null`
 * omits a parameter.
 */
export function readQuery(asked: AskedRequest['query'], search: string | undefined): Query {
  const query = new Map<string, readonly string[]>();
  for (const [name, value] of new URLSearchParams(search ?? '')) query.set(name, [...(query.get(name) ?? []), value]);
  for (const [name, value] of asked) {
    if (value === null || value === undefined) continue;
    const shown = JSON.stringify(name.slice(0, 60));
    if (query.has(name)) throw invalid(`The parameter ${shown} is in the path and in \`query\`. Give it once.`);
    const items: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (items.length > MAX_QUERY_CHARS / 2) throw tooLong();
    const values = items.map(item => toText(shown, item));
    if (values.length > 0) query.set(name, values);
  }
  let chars = 0;
  // Counts the query as it is sent: the name, `=` and `&` for every value.
  for (const [name, values] of query) for (const value of values) chars += name.length + value.length + 2;
  if (chars > MAX_QUERY_CHARS) throw tooLong();
  return query;
}

const tooLong = () => invalid(`The query is longer than ${MAX_QUERY_CHARS} characters.`);

function toText(shownName: string, value: unknown): string {
  if (typeof value === 'string' || typeof value === 'boolean') return String(value);
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  throw invalid(
    `The parameter ${shownName} must be a string, number, boolean or a list of these. For key-value filters write "key=value&other=value".`,
  );
}
