// Sign-in by OAuth as a public client with PKCE. The page's client id and callback are the gateway's own address. While
// the person is on the sign-in page, the verifier is kept in the tab's session storage.
import { Fault } from '../fault.ts';
import { type Credential, enter, session, setRemember } from './session.ts';

type Metadata = { readonly issuer: string; readonly authorization_endpoint: string };
type Pending = {
  readonly verifier: string;
  readonly state: string;
  readonly issuer: string;
  readonly remember: boolean;
  readonly fragment: string;
};

const PENDING = 'sign-in';
const CALLBACK = `${location.origin}/`;

const random = (): string => base64Url(crypto.getRandomValues(new Uint8Array(32)));

function base64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');
}

/** Navigates to the sign-in page. */
export async function beginSignIn(): Promise<void> {
  const answer = await fetch('/.well-known/oauth-authorization-server');
  if (!answer.ok) throw new Fault('failed', `The gateway does not say how to sign in (${answer.status}).`);
  const { issuer, authorization_endpoint: authorize } = (await answer.json()) as Metadata;
  const pending: Pending = {
    verifier: random(),
    state: random(),
    issuer,
    remember: session.get().remember,
    fragment: location.hash,
  };
  sessionStorage.setItem(PENDING, JSON.stringify(pending));
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(pending.verifier));
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: `${issuer}/`,
    redirect_uri: CALLBACK,
    code_challenge: base64Url(new Uint8Array(digest)),
    code_challenge_method: 'S256',
    state: pending.state,
    resource: `${issuer}/mcp`,
  });
  location.assign(`${authorize}?${query}`);
}

/** Completes the sign-in if the browser has come back from it. First removes the code from the address. */
export async function finishSignIn(ask: () => Promise<void>): Promise<void> {
  const answer = new URLSearchParams(location.search);
  if (!answer.has('state')) return;
  const stored = sessionStorage.getItem(PENDING);
  sessionStorage.removeItem(PENDING);
  const pending = stored === null ? undefined : (JSON.parse(stored) as Pending);
  history.replaceState(null, '', `/${pending?.fragment ?? ''}`);
  const fail = (message: string) => session.set(now => ({ ...now, check: new Fault('failed', message) }));
  if (pending === undefined || pending.state !== answer.get('state') || pending.issuer !== answer.get('iss'))
    return fail('The answer to the sign-in was not meant for this tab. Sign in again.');
  const code = answer.get('code');
  if (code === null) return fail(answer.get('error') === 'access_denied' ? 'You did not sign in.' : 'Sign-in failed.');
  setRemember(pending.remember);
  const clientId = `${pending.issuer}/`;
  try {
    const credential = await askForTokens(clientId, {
      grant_type: 'authorization_code',
      code,
      redirect_uri: CALLBACK,
      code_verifier: pending.verifier,
    });
    await enter(credential, ask);
  } catch (caught) {
    fail(caught instanceof Error ? caught.message : 'Sign-in failed.');
  }
}

export const refreshTokens = ({ clientId, refresh }: Extract<Credential, { kind: 'token' }>): Promise<Credential> =>
  askForTokens(clientId, { grant_type: 'refresh_token', refresh_token: refresh });

async function askForTokens(clientId: string, form: Readonly<Record<string, string>>): Promise<Credential> {
  const answer = await fetch('/token', { method: 'POST', body: new URLSearchParams({ ...form, client_id: clientId }) });
  if (!answer.ok) throw new Fault('expired', 'Your sign-in has ended. Sign in again.');
  const { access_token, refresh_token, expires_in } = (await answer.json()) as {
    access_token: string;
    refresh_token: string;
    expires_in: number;
  };
  const expiresAtMs = Date.now() + expires_in * 1_000;
  return { kind: 'token', access: access_token, refresh: refresh_token, expiresAtMs, clientId };
}
