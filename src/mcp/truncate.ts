// Shortens what goes to a model: JSON stays JSON, logs keep head and tail. Pure.

export type Truncated = { readonly text: string; readonly truncated: boolean; readonly note?: string };

/** Valid JSON text of at most `maxChars` (at least 2). Never throws, whatever the depth. */
export function truncateJson(json: string, maxChars: number): Truncated {
  throw new Error(`not yet ${json.length} ${maxChars}`);
}

/** Head and tail of a log within `maxChars`. */
export function truncateLog(text: string, maxChars: number): Truncated {
  throw new Error(`not yet ${text.length} ${maxChars}`);
}
