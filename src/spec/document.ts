// Parses the text of a description, which is JSON or YAML. A separate file, so that the YAML parser is loaded only if a
// text has to be parsed.
import { parse } from 'yaml';
import { GatewayError } from '../errors.ts';
import { firstLine } from './first-line.ts';

/** @throws GatewayError `spec_invalid` */
export function parseDocument(text: string): unknown {
  try {
    // JSON is valid YAML, but JSON.parse is a hundred times faster.
    return /^\s*[{[]/.test(text)
      ? JSON.parse(text)
      : parse(text, { maxAliasCount: 100, logLevel: 'error', prettyErrors: false });
  } catch (cause) {
    throw new GatewayError('spec_invalid', `The description is neither JSON nor YAML: ${firstLine(cause)}`, { cause });
  }
}
