// The guard: turns the request of a guest into one that may be sent, or refuses it. Pure. Only the guard can make a
// GuardedRequest, and the client sends nothing else. These are its rules; `guardRequest` applies them:
//   1. A path is decoded until nothing in it changes, and the path that is sent is built from the result (path.ts).
//   2. Paths with a forbidden segment are refused in every mode (spec/refused.ts).
//   3. Only operations of the description are allowed, unless unlisted paths are.
//   4. In `read` mode only GET and HEAD are allowed.
//   5. Parameters and body must fit the operation's schema, unless the request says `unchecked` (validate.ts).
//   6. Only the headers accept and content-type are read (shape.ts).
import { GatewayError, toGatewayError } from '../errors.ts';
import type { Effect, Method, Mode, Operation } from '../spec/description.ts';
import { isRefusedSegment } from '../spec/refused.ts';
import type { Match, Meaning, Operations } from './operations.ts';
import { type ResolvedPath, resolvePath } from './path.ts';
import {
  type AskedBody,
  type AskedRequest,
  type Query,
  readBody,
  readQuery,
  readRequest,
  readTarget,
  textOf,
} from './shape.ts';

declare const guarded: unique symbol;

/** A request that passed every rule. Frozen, and recognized at run time by `isGuarded`. */
export type GuardedRequest = {
  readonly [guarded]: true;
  readonly method: Method;
  /** Starts with one `/`. Built and encoded here; does not include the API's base path. */
  readonly path: string;
  /** Encoded, without `?`; empty if there is none. */
  readonly query: string;
  readonly contentType: string | undefined;
  readonly accept: string | undefined;
  readonly body: string | undefined;
  /** Undefined only for unlisted paths, if those are allowed. */
  readonly operation: Operation | undefined;
  readonly effect: Effect;
  /** The kind of object that the request is on, e.g. `sandbox`; `pathParameters` has its id. */
  readonly resource: string | undefined;
  readonly pathParameters: Readonly<Record<string, string>>;
  readonly write: boolean;
  /** A name for ledgers and logs: `GET /v2/sandboxes`. */
  readonly label: string;
};

const made = new WeakSet<object>();

export const isGuarded = (request: unknown): request is GuardedRequest =>
  typeof request === 'object' && request !== null && made.has(request);

/** Called as soon as method and resolved path are known, so that the ledger can name requests that are refused. */
export type OnTarget = (label: string, write: boolean) => void;

/**
 * @throws GatewayError `path_invalid`, `path_refused`, `path_unlisted`, `method_refused`, `request_invalid` or
 * `too_complex`, each with what to do next
 */
export function guardRequest(raw: unknown, mode: Mode, operations: Operations, onTarget?: OnTarget): GuardedRequest {
  const path = resolveTarget(raw, onTarget); // rule 1
  const asked = readRequest(raw); // the form of the request, and rule 6
  if (path instanceof GatewayError) throw path;
  refuseSegments(path, operations.dashboard); // rule 2
  const match = operations.match(asked.method, path.segments);
  refuseWrites(asked, path, mode, match); // rule 4
  if (match === undefined && !operations.allowUnlisted) throw unlisted(asked.method, path, operations); // rule 3
  const query = readQuery(asked.query, path.search);
  const body = readBody(asked);
  if (match !== undefined && !asked.unchecked) checkAgainstSchema(body, query, match, operations); // rule 5
  const meaning = operations.meaningOf(asked.method, path.segments);
  return brand(build(asked, body, path, query, match?.operation, meaning));
}

/** Replaces the body by one to which the gateway has added something. The schema is not checked again. */
export const withBody = (request: GuardedRequest, body: string): GuardedRequest => brand({ ...request, body });

function brand(request: Omit<GuardedRequest, typeof guarded>): GuardedRequest {
  made.add(request);
  return Object.freeze(request) as GuardedRequest;
}

/** Returns the error instead of throwing it, because mistakes in the form of the request are reported first. */
function resolveTarget(raw: unknown, onTarget: OnTarget | undefined): ResolvedPath | GatewayError {
  try {
    const { method, path } = readTarget(raw);
    const resolved = resolvePath(path);
    onTarget?.(labelOf(method, resolved), isWrite(method));
    return resolved;
  } catch (caught) {
    return toGatewayError(caught);
  }
}

const labelOf = (method: Method, path: ResolvedPath) => `${method} ${shown(path)}`;

const isWrite = (method: Method) => method !== 'GET' && method !== 'HEAD';

/** Applies rules 1 and 2 to a path of a request that the SDK has made. @throws GatewayError */
export const refusePath = (path: string, dashboard?: string): void => refuseSegments(resolvePath(path), dashboard);

/** Refuses credentials, teams and the provider's machines, even if the key allows access to them. */
function refuseSegments(path: ResolvedPath, dashboard: string | undefined): void {
  for (const segment of path.segmentsSeen) {
    if (!isRefusedSegment(segment)) continue;
    throw new GatewayError(
      'path_refused',
      `Paths with "${segment}" are never reachable through the gateway, in any spelling. Do without, or ask the user to do it${dashboard === undefined ? ' themselves' : ` in ${dashboard}`}.`,
    );
  }
}

function refuseWrites(asked: AskedRequest, path: ResolvedPath, mode: Mode, match: Match | undefined): void {
  if (mode === 'write' || !isWrite(asked.method)) return;
  const name = match?.operation.id ?? `${asked.method} ${shown(path)}`;
  throw new GatewayError(
    'method_refused',
    `${name} may change something, and execute_read only reads. Use execute_write.`,
  );
}

function unlisted(method: Method, path: ResolvedPath, operations: Operations): GatewayError {
  const others = operations.methodsAt(path.segments);
  const hint =
    others.length > 0
      ? `This path takes ${others.join(', ')}.`
      : `Nearest: ${operations.nearest(method, path.segments).join('; ')}. Look for more with the search tool.`;
  return new GatewayError('path_unlisted', `There is no operation ${method} ${shown(path)}. ${hint}`);
}

const shown = (path: ResolvedPath) => `/${path.segments.join('/')}`.slice(0, 200);

function checkAgainstSchema(body: AskedBody | undefined, query: Query, match: Match, operations: Operations): void {
  const { operation, pathParameters } = match;
  const problems = operations.checkOf(operation)({ pathParameters, query, body });
  if (problems.length === 0) return;
  throw new GatewayError(
    'request_invalid',
    `${operation.id}: ${problems.join('; ')}. See describe('${operation.id}') in the search tool; \`unchecked: true\` skips this check.`,
  );
}

function build(
  asked: AskedRequest,
  body: AskedBody | undefined,
  path: ResolvedPath,
  query: Query,
  operation: Operation | undefined,
  meaning: Meaning,
): Omit<GuardedRequest, typeof guarded> {
  return {
    method: asked.method,
    path: `/${path.segments.map(encode).join('/')}`,
    query: encodeQuery(query, operation),
    contentType: body?.contentType,
    accept: asked.accept,
    body: body && textOf(body),
    operation,
    ...meaning,
    write: isWrite(asked.method),
    label: labelOf(asked.method, path),
  };
}

/** Encodes the apostrophe as well, which some URL parsers would encode on the way. */
const encode = (text: string) => encodeURIComponent(text).replaceAll("'", '%27');

/** Repeats the name for each array item, unless the description says that items are joined by commas. */
function encodeQuery(query: Query, operation: Operation | undefined): string {
  const joined = new Set(operation?.parameters.filter(({ explode }) => explode === false).map(({ name }) => name));
  try {
    return [...query]
      .flatMap(([name, values]) => {
        const encoded = values.map(encode);
        return (joined.has(name) ? [encoded.join(',')] : encoded).map(value => `${encode(name)}=${value}`);
      })
      .join('&');
  } catch {
    throw new GatewayError('request_invalid', 'The query holds half a surrogate pair, which is no text.');
  }
}
