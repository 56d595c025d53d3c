// Ids and tokens of sandboxes, as E2B makes them.
import { randomBytes } from 'node:crypto';

/** `i` and 20 of a-z0-9, as E2B makes them. */
export function newSandboxId(): string {
  return `i${newId(20)}`;
}

/** `length` of a-z0-9. The modulus is slightly biased, which ids, unlike secrets, may be. */
export function newId(length: number): string {
  return Array.from(randomBytes(length), byte => 'abcdefghijklmnopqrstuvwxyz0123456789'[byte % 36]).join('');
}

export function newToken(): string {
  return randomBytes(32).toString('hex');
}
