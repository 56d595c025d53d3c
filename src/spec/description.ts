// The types of an API description as the gateway uses it: `$ref`s are resolved, and only 2xx responses are kept.
import { isRecord } from '../ground/json.ts';

export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type Method = (typeof METHODS)[number];

/** The name of an operation everywhere: `POST /sandboxes/{sandboxID}/pause`. */
export type OperationId = `${Method} /${string}`;

/**
 * A subset of JSON Schema 2020-12 that a validator can compile directly: `nullable` is a type union, there is no `$ref`
 * and no unknown keyword. `x-secret: true` marks response values that an agent must never see.
 */
export type Schema = { readonly [keyword: string]: unknown };

export const isSchema = (value: unknown): value is Schema => isRecord(value);

export type Parameter = {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly schema: Schema;
  readonly description?: string;
  /** For array parameters. False: sent as one comma-separated value; otherwise the name is repeated. */
  readonly explode?: boolean;
};

export type Body = { readonly required: boolean; readonly contentType: string; readonly schema: Schema };

export type Answer = {
  readonly description?: string;
  readonly schema?: Schema;
  /** Header name in lower case -> its description. */
  readonly headers?: Readonly<Record<string, string>>;
};

/**
 * What an operation does to objects in the account. `starts` and `stops`: the object begins or ceases to run, but still
 * exists. `ends`: it is gone for good. `lists`: the operation reads many objects. `none`: it reads one.
 */
export const EFFECTS = ['none', 'lists', 'creates', 'starts', 'changes', 'stops', 'ends'] as const;
export type Effect = (typeof EFFECTS)[number];

export type Operation = {
  readonly id: OperationId;
  readonly method: Method;
  /** Template, e.g. `/sandboxes/{sandboxID}`. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  /** Other words that people use for the operation: suspend, hibernate … */
  readonly keywords: readonly string[];
  readonly deprecated: boolean;
  /** Always set in our own description. Undefined in a published one, where upstream/operations.ts infers it. */
  readonly effect?: Effect;
  /** The kind of object that the effect is on: `sandbox`, `template`. */
  readonly resource?: string;
  readonly parameters: readonly Parameter[];
  readonly body?: Body;
  /** Responses by status, 2xx only. */
  readonly answers: Readonly<Record<string, Answer>>;
};

/** What a run may do: only read, or also change something. */
export type Mode = 'read' | 'write';

/** A method of the guest's `Sandbox`, described beside the REST operations so that search finds both. */
export type Capability = {
  /** `Sandbox.commands.run`. */
  readonly id: string;
  /** Compact TypeScript signature. */
  readonly signature: string;
  readonly summary: string;
  readonly keywords: readonly string[];
  /** `read`: works in both execute tools; `write`: in execute_write only. */
  readonly mode: Mode;
  readonly effect: Effect;
  readonly resource: string;
  /** Pitfalls and units, in a sentence or two. */
  readonly description?: string;
  readonly example?: string;
};

/** A text that search finds beside operations: a recipe, or what is not available and where to find it. */
export type Note = {
  /** `recipe: build a template`, `not available: billing`. */
  readonly id: string;
  readonly summary: string;
  /** The text that describe() returns. */
  readonly text: string;
  readonly keywords: readonly string[];
};

export type Description = {
  readonly title: string;
  readonly version: string;
  readonly operations: readonly Operation[];
  readonly capabilities: readonly Capability[];
  readonly notes?: readonly Note[];
  /** For search: a word of the API -> other words for it, e.g. sandbox -> vm, box. */
  readonly synonyms?: Readonly<Record<string, readonly string[]>>;
};
