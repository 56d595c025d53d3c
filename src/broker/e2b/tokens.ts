// Masks the access tokens of a sandbox in what a guest reads. Programs in the sandbox receive the tokens and may echo
// them. Tokens in another encoding are not found, which is acceptable: they give access to that sandbox only. Pure.

import type { Access } from '../../e2b/handle.ts';
import { MASK } from '../../upstream/key-spellings.ts';

export type Tokens = readonly string[];

/** What is masked in what a sandbox sends. */
export type Secrets = { readonly apiKey: string; readonly tokens: Tokens };

export const tokensOf = ({ envdAccessToken, trafficAccessToken }: Access): Tokens =>
  [envdAccessToken, trafficAccessToken].filter(token => token !== undefined && token !== '') as string[];

/** Works for plain text and for JSON text: tokens contain nothing that JSON escapes. */
export const maskTokens = (text: string, tokens: Tokens): string =>
  tokens.reduce((masked, token) => masked.replaceAll(token, MASK), text);

/** Masks tokens in bytes that may not be text, and keeps the length. */
export function maskBytes(bytes: Buffer, tokens: Tokens): Buffer {
  const found = tokens.filter(token => bytes.includes(token));
  if (found.length === 0) return bytes;
  const hidden = (text: string, token: string) => text.replaceAll(token, 'x'.repeat(token.length));
  return Buffer.from(found.reduce(hidden, bytes.toString('latin1')), 'latin1');
}
