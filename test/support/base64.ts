import { type Base64, base64In } from '../../src/ground/base64.ts';

/** @throws if the text is not base64 */
export function base64(text: string): Base64 {
  const found = base64In(Buffer.from(text));
  if (found === undefined) throw new Error(`not base64: ${text}`);
  return found;
}
