// Rule 1 of the guard: resolves the path that a guest wrote to plain segments, or refuses it. The path that is sent is
// built from these segments, so it cannot mean one thing here and another upstream. Knows no operations.
import { GatewayError } from '../errors.ts';

const MAX_PATH_CHARS = 2048;
/** Maximum rounds of decoding; no legitimate path needs so many. */
const MAX_ROUNDS = 8;
/** Control characters, C1 included, and the backslash, which some servers read as a slash. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it looks for them
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\\]/;
/** Allows RFC 3986 `pchar`, and slash, `;params` and percent, which are resolved. Only ASCII, so no look-alikes. */
const UNUSUAL = /[^A-Za-z0-9\-._~!$&'()*+,=:@;/%]/u;
/** Texts that a template string contains for a variable without a value. */
const NO_VALUE = new Set(['undefined', 'null', 'NaN']);

export type ResolvedPath = {
  /** Decoded; none is empty or a dot segment. `[]` is the root. */
  readonly segments: readonly string[];
  /** All segments, including those that dot segments removed. */
  readonly segmentsSeen: ReadonlySet<string>;
  /** The text after `?` in the path, as written. */
  readonly search: string | undefined;
};

const invalid = (detail: string) => new GatewayError('path_invalid', detail);

/** @throws GatewayError `path_invalid` with a hint */
export function resolvePath(path: string): ResolvedPath {
  if (path.length > MAX_PATH_CHARS) throw invalid(`The path is longer than ${MAX_PATH_CHARS} characters.`);
  if (FORBIDDEN.test(path)) throw invalid('The path holds a control character or a backslash. Use plain "/" paths.');
  checkStart(path);
  if (path.includes('#')) throw invalid('The path holds a "#". An API path has no fragment; leave it out.');
  const question = path.indexOf('?');
  const parts = toFixpoint(question < 0 ? path : path.slice(0, question));
  const segmentsSeen = new Set(parts);
  const segments = withoutDots(parts);
  const missing = segments.find(segment => NO_VALUE.has(segment));
  if (missing !== undefined) throw invalid(`The path holds "${missing}": a variable used in it has no value.`);
  return { segments, segmentsSeen, search: question < 0 ? undefined : path.slice(question + 1) };
}

function checkStart(path: string): void {
  if (/^[a-z][a-z0-9+.-]*:/i.test(path)) {
    throw invalid('Give the path only, e.g. "/sandboxes": the gateway adds the address of the API itself.');
  }
  if (/^[A-Z]+ \//i.test(path)) throw invalid('Put the method into `method` and only the path into `path`.');
  if (!path.startsWith('/')) throw invalid(`The path must start with "/", e.g. "/sandboxes".`);
  if (path.startsWith('//')) throw invalid('The path must start with one "/", not two.');
}

/** Decodes until nothing changes, then splits, and removes `;params`. */
function toFixpoint(written: string): readonly string[] {
  let text = written;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const next = decode(text);
    if (next === text) return text.split('/').map(part => part.split(';', 1)[0] ?? '');
    text = next;
  }
  throw invalid('The path is encoded over and over. Write it plainly.');
}

/** Decodes once. Refuses what is not valid UTF-8: overlong forms, `%u0041`, a lone `%`. */
function decode(text: string): string {
  checkCharacters(text);
  let decoded: string;
  try {
    decoded = decodeURIComponent(text);
  } catch {
    throw invalid('The path holds a "%" that is no valid encoding. Write identifiers plainly.');
  }
  checkCharacters(decoded);
  return decoded;
}

function checkCharacters(text: string): void {
  const placeholder = /\{([^{}/]*)\}/.exec(text);
  if (placeholder !== null) {
    throw invalid(
      `Put a value in place of ${placeholder[0]}, e.g. with a template string: \`/…/\${${placeholder[1]}}\`.`,
    );
  }
  if (FORBIDDEN.test(text)) throw invalid('The path holds an encoded control character or backslash.');
  const unusual = UNUSUAL.exec(text);
  if (unusual !== null) {
    const hint = /[?#]/.test(unusual[0]) ? ' Put parameters into `query`.' : '';
    throw invalid(`The path holds the character ${JSON.stringify(unusual[0])}, which no path of this API has.${hint}`);
  }
}

function withoutDots(parts: readonly string[]): readonly string[] {
  const segments: string[] = [];
  for (const part of parts) {
    if (part === '..') segments.pop();
    else if (part !== '' && part !== '.') segments.push(part);
  }
  return segments;
}
