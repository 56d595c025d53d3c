// Who is calling, and what they may do. Made once per request (or once per process, on stdio) where the caller is
// authenticated, and passed on from there: nothing behind that border parses or hashes a credential again.
import { createHash } from 'node:crypto';
import { GatewayError } from './errors.ts';

export type Scope = 'read' | 'write';

export type Principal = {
  /** Fingerprint of the API key: the same for one key however the caller proved it. Fit for logs, limits and quotas. */
  readonly id: string;
  /** In its one canonical spelling. Used for upstream calls only; it never enters a guest, a log or an error. */
  readonly apiKey: string;
  readonly scopes: readonly Scope[];
  /** Whether the request carried the API key itself or a token that holds it. */
  readonly proof: 'key' | 'token';
  /** Milliseconds since the epoch; undefined: the gateway sets no end. */
  readonly expiresAtMs: number | undefined;
};

/** 128 bits: it separates tenants, so it must be infeasible to make two keys that share one. */
const FINGERPRINT_HEX_DIGITS = 32;

/** Keys carry enough random bits that a plain digest does not give them away. */
export const fingerprint = (apiKey: string): string =>
  createHash('sha256').update(apiKey).digest('hex').slice(0, FINGERPRINT_HEX_DIGITS);

/** Whoever holds the key itself may do everything, for as long as upstream accepts the key. `apiKey` is canonical. */
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
