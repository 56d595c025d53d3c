// The guard: turns what a guest asked for into a request that may be sent, or refuses it. Pure. Nothing else can make a
// GuardedRequest, and the client sends nothing else. Its rules by number; `guardRequest` has their order:
//   1. A path is resolved until nothing in it changes, and what is sent is built from the segments found (path.ts).
//   2. Paths with a segment that is never reachable are refused, whatever the mode (spec/refused.ts).
//   3. Only operations of the description pass, unless unlisted paths are allowed.
//   4. `read` sends GET and HEAD only.
//   5. Parameters and body fit the operation's schema, unless the request says `unchecked` (validate.ts).
//   6. Of headers only accept and content-type are read at all (shape.ts).
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
} from './shape.ts';

declare const guarded: unique symbol;

/** A request that passed every rule. Frozen; recognised at run time too, see `isGuarded`. */
export type GuardedRequest = {
  readonly [guarded]: true;
  readonly method: Method;
  /** Starts with one `/`, built and encoded by us; without the API's base path. */
  readonly path: string;
  /** Encoded, without `?`; empty when there is none. */
  readonly query: string;
  readonly contentType: string | undefined;
  readonly accept: string | undefined;
  readonly body: string | undefined;
  /** Undefined only where unlisted paths are allowed. */
  readonly operation: Operation | undefined;
  readonly effect: Effect;
  /** The kind of thing it is on, and which: `sandbox`, `{ sandboxID }`. */
  readonly resource: string | undefined;
  readonly pathParameters: Readonly<Record<string, string>>;
  readonly write: boolean;
  /** `GET /v2/sandboxes`: fit for ledgers and logs. */
  readonly label: string;
};

const made = new WeakSet<object>();

export const isGuarded = (request: unknown): request is GuardedRequest =>
  typeof request === 'object' && request !== null && made.has(request);

/** Called as soon as method and resolved path are known, so that a refused request has a name in the ledger too. */
export type OnTarget = (label: string, write: boolean) => void;

/**
 * @throws GatewayError `path_invalid`, `path_refused`, `path_unlisted`, `method_refused`, `request_invalid` or `too_complex`,
 * each with what to do next.
 */
export function guardRequest(raw: unknown, mode: Mode, operations: Operations, onTarget?: OnTarget): GuardedRequest {
  const path = resolveTarget(raw, onTarget); // rule 1
  const asked = readRequest(raw); // the form, and rule 6: only two headers are read at all
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

/** The same request with another body: for what the gateway adds by itself. Its schema is not checked again. */
export const withBody = (request: GuardedRequest, body: string): GuardedRequest => brand({ ...request, body });

function brand(request: Omit<GuardedRequest, typeof guarded>): GuardedRequest {
  made.add(request);
  return Object.freeze(request) as GuardedRequest;
}

/** The error is returned, not thrown: what is wrong with the form of the whole request is reported first. */
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

/** Rules 1 and 2 for a path that something else has put together. @throws GatewayError */
export const refusePath = (path: string, dashboard?: string): void => refuseSegments(resolvePath(path), dashboard);

/** Credentials, teams, other customers' machines: no agent has business there, whatever the key allows. */
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
    body: body?.text,
    operation,
    ...meaning,
    write: isWrite(asked.method),
    label: labelOf(asked.method, path),
  };
}

/** The apostrophe too, so that no URL parser on the way would spell it anew. */
const encode = (text: string) => encodeURIComponent(text).replaceAll("'", '%27');

/** Arrays repeat the name, unless the description says they are joined by commas. */
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
