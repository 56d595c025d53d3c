// What models write -> one expression the engine can evaluate, or an error that shows the place. Pure.

declare const accepted: unique symbol;

/** `by` characters that are not the agent's stand before `column` (1-based, in `source`) on `line`. */
export type Insertion = { readonly line: number; readonly column: number; readonly by: number };

export type AcceptedCode = {
  readonly [accepted]: true;
  /** The engine evaluates `(${source}\n)`: a function to call, or a value or promise. Lines are the agent's own. */
  readonly source: string;
  /** What the agent sent, line ends as \n. */
  readonly text: string;
  readonly insertions: readonly Insertion[];
};

/** Throws GatewayError: code_invalid, code_too_large, code_syntax. */
export function acceptCode(code: unknown, options: { readonly maxChars: number }): AcceptedCode {
  throw new Error(`not yet ${typeof code} ${options.maxChars}`);
}
