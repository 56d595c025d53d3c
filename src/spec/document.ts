// The text of a description, JSON or YAML, as a value. A file of its own: the YAML parser is loaded only where a text has
// to be parsed.
import { parse } from 'yaml';
import { GatewayError } from '../errors.ts';
import { firstLine } from './first-line.ts';

/** Throws `spec_invalid`. */
export function parseDocument(text: string): unknown {
  try {
    // JSON is YAML, but a hundred times faster to read as what it is.
    return /^\s*[{[]/.test(text)
      ? JSON.parse(text)
      : parse(text, { maxAliasCount: 100, logLevel: 'error', prettyErrors: false });
  } catch (cause) {
    throw new GatewayError('spec_invalid', `The description is neither JSON nor YAML: ${firstLine(cause)}`, { cause });
  }
}
