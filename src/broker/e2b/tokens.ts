// The access tokens of a sandbox, out of what a guest reads. A program inside is sent them and may echo them; one that
// passes them on in another form is not stopped: they open that sandbox alone. Pure.

import type { Access } from '../../e2b/handle.ts';
import { MASK } from '../../upstream/key-spellings.ts';

export type Tokens = readonly string[];

export const tokensOf = ({ envdAccessToken, trafficAccessToken }: Access): Tokens =>
  [envdAccessToken, trafficAccessToken].filter(token => token !== undefined && token !== '') as string[];

/** Of plain text, or of JSON as text: tokens hold nothing that JSON escapes. */
export const maskTokens = (text: string, tokens: Tokens): string =>
  tokens.reduce((masked, token) => masked.replaceAll(token, MASK), text);

/** Of bytes that may be no text; their number stays. */
export function maskBytes(bytes: Buffer, tokens: Tokens): Buffer {
  const found = tokens.filter(token => bytes.includes(token));
  if (found.length === 0) return bytes;
  const hidden = (text: string, token: string) => text.replaceAll(token, 'x'.repeat(token.length));
  return Buffer.from(found.reduce(hidden, bytes.toString('latin1')), 'latin1');
}
