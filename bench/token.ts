// pnpm bench:token: compares the cost of a trivial call with an API key and with an OAuth token. Sends the same calls
// to the same gateway in turn: trust the ratio.
import { createHash, randomBytes } from 'node:crypto';
import { drive, emptySample, type Load } from './load.ts';
import { startContender } from './processes.ts';

const ROUNDS = 8;
const ROUND_MS = (Number(process.env.BENCH_SECONDS ?? 40) * 1000) / (ROUNDS * 2);
const ISSUER = 'https://gateway.example';
const CALLBACK = 'http://127.0.0.1/callback';
const KEY = `e2b_${'b'.repeat(40)}`;
const TRIVIAL: Load = { tool: 'execute_read', code: 'async () => 1' };

const FREE = { RATE_LIMIT_PER_KEY: '0', MAX_PARALLEL_PER_KEY: '0', LOG_LEVEL: 'error' };
const cloud = await startContender('../main.js', ['--local-only'], FREE);
const gateway = await startContender('../main.js', [], {
  ...FREE,
  E2B_API_URL: cloud.url,
  E2B_SANDBOX_URL: cloud.url,
  ALLOWED_HOSTS: '*',
  PUBLIC_URL: ISSUER,
  OAUTH_KEYS: `bench:${randomBytes(32).toString('base64url')}`,
});

const samples = { key: emptySample(), token: emptySample() };
const credentials = { key: KEY, token: await signIn(gateway.url) };
for (let round = -1; round < ROUNDS; round++)
  for (const proof of ['key', 'token'] as const)
    await drive([gateway], TRIVIAL, {
      callers: 4,
      ms: ROUND_MS,
      into: round < 0 ? emptySample() : samples[proof],
      credential: credentials[proof],
    });
const cpuMs = (proof: keyof typeof samples) => (samples[proof].cpuSeconds * 1000) / samples[proof].requests;
const [key, token] = [cpuMs('key'), cpuMs('token')];
const more = (100 * (token / key - 1)).toFixed(1);
console.log(
  `CPU of execute_read \`async () => 1\`: ${key.toFixed(2)} ms with a key, ${token.toFixed(2)} ms with a token (${more} %)`,
);
process.exit(0);

/** Signs in as a client and a person do, and returns the access token. */
async function signIn(url: string): Promise<string> {
  const registered = await fetch(`${url}/register`, {
    method: 'POST',
    body: JSON.stringify({ redirect_uris: [CALLBACK] }),
  });
  const { client_id } = (await registered.json()) as { client_id: string };
  const verifier = randomBytes(32).toString('base64url');
  const ask = new URLSearchParams({
    client_id,
    redirect_uri: CALLBACK,
    response_type: 'code',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const page = await (await fetch(`${url}/authorize?${ask}`)).text();
  const request = /name="request" value="([^"]*)"/.exec(page)?.[1] ?? '';
  const answered = await fetch(`${url}/authorize`, {
    method: 'POST',
    redirect: 'manual',
    headers: { Origin: ISSUER },
    body: new URLSearchParams({ request, read: 'on', write: 'on', key: KEY, decision: 'allow' }),
  });
  const code = new URL(answered.headers.get('location') ?? CALLBACK).searchParams.get('code') ?? '';
  const body = { grant_type: 'authorization_code', code, client_id, redirect_uri: CALLBACK, code_verifier: verifier };
  const tokens = await fetch(`${url}/token`, { method: 'POST', body: new URLSearchParams(body) });
  return ((await tokens.json()) as { access_token: string }).access_token;
}
