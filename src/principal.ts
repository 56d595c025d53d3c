// The caller, and what they may do. A Principal is made once per request (once per process on stdio) where the caller
// is authenticated, and passed on from there: no other code parses or hashes a credential.
import { createHash } from 'node:crypto';
import { GatewayError } from './errors.ts';

export type Scope = 'read' | 'write';

export type Principal = {
  /** Fingerprint of the API key, the same for a raw key and for its tokens. Used in logs, limits and quotas. */
  readonly id: string;
  /** The key in its canonical spelling. Used for upstream calls only; it never enters a guest, a log or an error. */
  readonly apiKey: string;
  readonly scopes: readonly Scope[];
  /** Whether the request carried the API key itself or a token that contains it. */
  readonly proof: 'key' | 'token';
  /** Milliseconds since 1970. Undefined: the credential does not expire here. */
  readonly expiresAtMs: number | undefined;
};

/** 128 bits. The fingerprint separates tenants, so it must be infeasible to find two keys with the same one. */
const FINGERPRINT_HEX_DIGITS = 32;

/** Keys have enough random bits that a plain digest does not reveal them. */
export const fingerprint = (apiKey: string): string =>
  createHash('sha256').update(apiKey).digest('hex').slice(0, FINGERPRINT_HEX_DIGITS);

/** A caller with the key itself may do everything, for as long as E2B accepts the key. `apiKey` is canonical. */
export const principalFromKey = (apiKey: string): Principal => ({
  id: fingerprint(apiKey),
  apiKey,
  scopes: ['read', 'write'],
  proof: 'key',
  expiresAtMs: undefined,
});

/** @throws GatewayError scope_missing */
export function requireScope({ scopes }: Principal, scope: Scope): void {
  if (!scopes.includes(scope)) throw new GatewayError('scope_missing', MISSING[scope]);
}

const MISSING: Readonly<Record<Scope, string>> = {
  read: 'This connection was not granted read access. Ask the person to connect again and allow it.',
  write:
    'This connection may only read: use execute_read. To change something, ask the person to connect again and allow writing.',
};
