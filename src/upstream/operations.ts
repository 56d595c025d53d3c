// Finds the operation of a request by method and path segments, and the nearest operations if there is none.
// validate.ts checks the contents of requests.
import type { Description, Effect, Method, Operation, OperationId } from '../spec/description.ts';
import { editDistance } from './nearest.ts';
import { createChecks } from './validate.ts';

export type Match = { readonly operation: Operation; readonly pathParameters: Readonly<Record<string, string>> };

/** What a request does, and to which object: `resource` is its kind, `pathParameters` contain its id. */
export type Meaning = {
  readonly effect: Effect;
  /** Undefined: unknown, or the request is on no object. */
  readonly resource: string | undefined;
  readonly pathParameters: Readonly<Record<string, string>>;
};

/** `parts`: the segments of the operation's path; `{name}` is a parameter. */
type Template = { readonly operation: Operation; readonly parts: readonly string[]; readonly literals: number };

const NEAREST_SHOWN = 3;

export class Operations {
  /** Whether paths are allowed that the description does not list. */
  readonly allowUnlisted: boolean;
  /** Where a person can do by hand what is refused here. */
  readonly dashboard: string | undefined;
  /** Finds the matching operation with the most literal segments. HEAD matches the operation of GET. */
  readonly match: Matcher;
  /** The check of rule 5 for an operation, compiled when it is first used. */
  readonly checkOf = createChecks();
  readonly #templates: readonly Template[];
  readonly #matchAnyVersion: Matcher;
  readonly #methods: readonly Method[];

  constructor(
    { operations }: Description,
    options: { readonly allowUnlisted?: boolean; readonly dashboard?: string } = {},
  ) {
    this.allowUnlisted = options.allowUnlisted === true;
    this.dashboard = options.dashboard;
    this.#templates = operations.map(toTemplate).sort((a, b) => b.literals - a.literals);
    this.#methods = [...new Set(operations.map(({ method }) => method))];
    this.match = matcherOf(this.#templates);
    this.#matchAnyVersion = matcherOf(
      this.#templates
        .filter(({ operation }) => operation.effect !== undefined)
        .map(template => ({ ...template, parts: withoutVersion(template.parts) })),
    );
  }

  /** Works for every request, even if it matches no operation. */
  meaningOf(method: Method, segments: readonly string[]): Meaning {
    const found = this.match(method, segments);
    // The same method on another version of a path is assumed to have the same effect.
    const stated =
      found?.operation.effect === undefined ? this.#matchAnyVersion(method, withoutVersion(segments)) : found;
    return {
      effect: stated?.operation.effect ?? effectOf(method),
      resource: stated?.operation.resource,
      pathParameters: stated?.pathParameters ?? found?.pathParameters ?? {},
    };
  }

  /** Methods for which the path has operations. */
  methodsAt(segments: readonly string[]): readonly Method[] {
    return this.#methods.filter(method => this.match(method, segments) !== undefined);
  }

  /** The nearest operations first; of equally near ones, those with the same method. */
  nearest(method: Method, segments: readonly string[]): readonly OperationId[] {
    return this.#templates
      .map(template => ({ id: template.operation.id, distance: distanceTo(template, method, segments) }))
      .sort((a, b) => a.distance - b.distance)
      .slice(0, NEAREST_SHOWN)
      .map(({ id }) => id);
  }
}

type Matcher = (method: Method, segments: readonly string[]) => Match | undefined;

function matcherOf(templates: readonly Template[]): Matcher {
  const byShape = new Map<string, Template[]>();
  for (const template of templates) {
    const shape = `${template.operation.method} ${template.parts.length}`;
    byShape.set(shape, [...(byShape.get(shape) ?? []), template]);
  }
  return (method, segments) => {
    const shape = `${method === 'HEAD' ? 'GET' : method} ${segments.length}`;
    for (const { operation, parts } of byShape.get(shape) ?? []) {
      const pathParameters = matchParts(parts, segments);
      if (pathParameters !== undefined) return { operation, pathParameters };
    }
    return undefined;
  };
}

/** `/v2/sandboxes` -> `/sandboxes`. */
const withoutVersion = (parts: readonly string[]): readonly string[] =>
  /^v\d+$/.test(parts[0] ?? '') ? parts.slice(1) : parts;

/** The assumed effect if no description states one: a read may list anything, and DELETE ends something. */
const effectOf = (method: Method): Effect =>
  method === 'GET' || method === 'HEAD' ? 'lists' : method === 'DELETE' ? 'ends' : 'changes';

const isParameter = (part: string): boolean => part.startsWith('{');

function toTemplate(operation: Operation): Template {
  const parts = operation.path.split('/').slice(1);
  if (parts.some(part => /[{}]/.test(part) && !/^\{[^{}]+\}$/.test(part)))
    throw new Error(`${operation.id}: a parameter must fill its whole segment`);
  return { operation, parts, literals: parts.filter(part => !isParameter(part)).length };
}

function matchParts(parts: readonly string[], segments: readonly string[]): Record<string, string> | undefined {
  const found: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const segment = segments[index];
    if (segment === undefined) return undefined;
    if (isParameter(part)) found[part.slice(1, -1)] = segment;
    else if (part !== segment) return undefined;
  }
  return found;
}

/** Edit distance between the paths. Any segment matches a parameter of the template at no cost. */
function distanceTo(template: Template, method: Method, segments: readonly string[]): number {
  const shown = template.parts.map((part, index) => (isParameter(part) ? (segments[index] ?? '{…}') : part));
  const otherMethod = template.operation.method === method ? 0 : 1;
  return editDistance(shown.join('/').toLowerCase(), segments.join('/').toLowerCase()) + otherMethod;
}
