// The shape of the description of an API, as the gateway uses it. `$ref`s are resolved, answers are 2xx only.
import { isRecord } from '../ground/json.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** `POST /sandboxes/{sandboxID}/pause`: how an operation is named everywhere. */
export type OperationId = `${Method} /${string}`;

/**
 * JSON Schema (2020-12 subset): `nullable` already turned into a type union, no `$ref`, unknown keywords gone, so that a
 * validator can compile it as it is. `x-secret: true` marks what an agent must never see in an answer.
 */
export type Schema = { readonly [keyword: string]: unknown };

export const isSchema = (value: unknown): value is Schema => isRecord(value);

export type Parameter = {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly schema: Schema;
  readonly description?: string;
  /** Only on array parameters. false: sent as one comma-separated value; otherwise the name is repeated. */
  readonly explode?: boolean;
};

export type Body = { readonly required: boolean; readonly contentType: string; readonly schema: Schema };

export type Answer = {
  readonly description?: string;
  readonly schema?: Schema;
  /** Header name in lower case -> what it holds. */
  readonly headers?: Readonly<Record<string, string>>;
};

/**
 * What an operation does to what lives in the account. What `starts` or `stops` goes on existing: it begins to run, or
 * ceases to; what `ends` is gone for good. `lists` answers many things at once, and `none` reads one.
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
  /** Words people use for it that are in no other field: suspend, hibernate … */
  readonly keywords: readonly string[];
  readonly deprecated: boolean;
  /** Always there in our own description. Undefined for what only a published one has: upstream/operations.ts infers it. */
  readonly effect?: Effect;
  /** What kind of thing the effect is on: `sandbox`, `template`. */
  readonly resource?: string;
  readonly parameters: readonly Parameter[];
  readonly body?: Body;
  /** By status, 2xx only. */
  readonly answers: Readonly<Record<string, Answer>>;
};

/** What a run may do: `read` reads only. */
export type Mode = 'read' | 'write';

/** A method of the guest's `Sandbox`, described beside the REST operations so that search finds both. */
export type Capability = {
  /** `Sandbox.commands.run`. */
  readonly id: string;
  /** TypeScript signature, compact. */
  readonly signature: string;
  readonly summary: string;
  readonly keywords: readonly string[];
  /** Lowest tool it works in: `read` works in both, `write` in execute_write only. */
  readonly mode: Mode;
  readonly effect: Effect;
  readonly resource: string;
  /** Traps and units, in a sentence or two. */
  readonly description?: string;
  readonly example?: string;
};

/** An answer in words that search finds beside operations: a recipe, or what is not reachable and where it is. */
export type Note = {
  /** `recipe: build a template`, `not available: billing`. */
  readonly id: string;
  readonly summary: string;
  /** What describe() answers. */
  readonly text: string;
  readonly keywords: readonly string[];
};

export type Description = {
  readonly title: string;
  readonly version: string;
  readonly operations: readonly Operation[];
  readonly capabilities: readonly Capability[];
  readonly notes?: readonly Note[];
  /** Word of the API -> other words people use for it: sandbox -> vm, box. For search only. */
  readonly synonyms?: Readonly<Record<string, readonly string[]>>;
};
