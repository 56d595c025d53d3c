// Tests against the real E2B. They need a key and cost a few cents; without LIVE=1 and E2B_API_KEY they are skipped with
// that reason.
import { describe, it, vi } from 'vitest';
import { Origin } from '../../src/ground/origin.ts';

const apiKey = process.env['E2B_API_KEY'] ?? '';
const missing = [process.env['LIVE'] === '1' ? '' : 'LIVE=1', apiKey === '' ? 'E2B_API_KEY' : ''].filter(Boolean);

const domain = process.env['E2B_DOMAIN'] ?? 'e2b.app';
const sandboxUrl = process.env['E2B_SANDBOX_URL'];
/** E2B itself, or one that is hosted elsewhere. */
export const REAL = {
  ...{ apiKey, domain, apiUrl: process.env['E2B_API_URL'] ?? `https://api.${domain}` },
  ...(sandboxUrl !== undefined && { sandboxUrl }),
};

/** The same as the engine takes it. */
export const ACCOUNT = {
  e2b: { api: new Origin(REAL.apiUrl), sandboxUrl, domain },
  apiKey,
  principalId: 'live',
};

/** Without a key, `body` is not called. */
export function describeLive(name: string, body: () => void): void {
  if (missing.length === 0) {
    // Accounts of the free tier start one sandbox per second, so cases wait for each other.
    vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });
    describe(name, body);
    return;
  }
  const reason = `skipped: needs ${missing.join(' and ')} (calls the real E2B and spends a few cents)`;
  console.log(`${name}: ${reason}`);
  it.skip(`${name}: ${reason}`, () => undefined);
}
