// /register, /token and /revoke: JSON for programs, from any origin. Bodies may have a few kilobytes.
import type { Request, RequestHandler } from 'express';
import { GatewayError, toGatewayError } from '../../errors.ts';
import { fingerprint } from '../../principal.ts';
import type { Route } from '../routes.ts';
import type { OAuthDetails, OAuthRecord, Report, Step } from './events.ts';
import { writeOAuthFault } from './faults.ts';
import { readCredentials, readParameters } from './form.ts';
import type { Grant } from './grants.ts';
import type { Rates } from './rates.ts';
import type { CallbackList } from './redirects.ts';
import { clientSecret, readRegistration, registrationAnswer, sealRegistration } from './registration.ts';
import { readText } from './small-body.ts';
import { exchange, revoke, type TokenDeps } from './token.ts';

export type TokenRouteDeps = TokenDeps & {
  readonly mayUse: CallbackList;
  readonly rates: Rates;
  readonly report: Report;
  readonly now: () => number;
};

const MAX_REGISTRATION_BYTES = 8_192;
const MAX_FORM_BYTES = 16_384;
const bodyOf = ({ body }: Request): string => (typeof body === 'string' ? body : '');

export function tokenRoutes(deps: TokenRouteDeps): readonly Route[] {
  const { rates } = deps;
  const shared = { method: 'POST', auth: 'none', host: 'allowed', origin: 'any', writeFault: writeOAuthFault } as const;
  return [
    {
      ...shared,
      path: '/register',
      description: 'Dynamic client registration (RFC 7591).',
      handlers: [rates.register, readText(MAX_REGISTRATION_BYTES), register(deps)],
    },
    {
      ...shared,
      path: '/token',
      description: 'Exchanges a code or a refresh token for an access token.',
      handlers: [rates.token, readText(MAX_FORM_BYTES), token(deps)],
    },
    {
      ...shared,
      path: '/revoke',
      description: 'Token revocation (RFC 7009); needs Redis.',
      handlers: [rates.token, readText(MAX_FORM_BYTES), end(deps)],
    },
  ];
}

/** The details of a step that succeeded, for its report. */
type Worked = { readonly client: OAuthRecord['client']; readonly details?: OAuthDetails };

function step(
  name: (request: Request) => Step,
  report: Report,
  work: (request: Request) => Promise<{ readonly status: number; readonly body?: unknown } & Worked>,
): RequestHandler {
  return async (request, response) => {
    const { id } = request as Request & { id: string };
    try {
      const { status, body, client, details } = await work(request);
      report({ step: name(request), outcome: 'ok', client }, id, details);
      response.status(status).set({ 'Cache-Control': 'no-store', Pragma: 'no-cache' });
      if (body === undefined) response.end();
      else response.json(body);
    } catch (caught) {
      report({ step: name(request), outcome: toGatewayError(caught).code, client: 'unknown' }, id);
      throw caught;
    }
  };
}

const register = ({ seal, mayUse, report, now }: TokenRouteDeps): RequestHandler =>
  step(
    () => 'register',
    report,
    async request => {
      const registration = readRegistration(parseJson(bodyOf(request)), mayUse);
      const clientId = await sealRegistration(seal, registration);
      const secret = registration.auth === 'none' ? undefined : clientSecret(seal, clientId);
      const body = registrationAnswer(clientId, registration, secret, Math.floor(now() / 1000));
      const callbackHost = new URL(registration.callbacks[0] ?? '').host;
      return { status: 201, body, client: 'registered', details: { callbackHost } };
    },
  );

const token = (deps: TokenRouteDeps): RequestHandler =>
  step(
    request => (/(?:^|&)grant_type=refresh_token(?:&|$)/.test(bodyOf(request)) ? 'refresh' : 'token'),
    deps.report,
    async request => {
      const form = readParameters(bodyOf(request));
      const credentials = readCredentials(request.headers.authorization, form);
      const { answer, grant } = await exchange(form, credentials, deps);
      return { status: 200, body: answer, ...aboutGrant(grant) };
    },
  );

const end = (deps: TokenRouteDeps): RequestHandler =>
  step(
    () => 'revoke',
    deps.report,
    async request => {
      const form = readParameters(bodyOf(request));
      const grant = await revoke(form, readCredentials(request.headers.authorization, form), deps);
      return { status: 200, ...(grant === undefined ? { client: 'unknown' as const } : aboutGrant(grant)) };
    },
  );

const aboutGrant = ({ id, kind, scopes, apiKey }: Grant): Worked => ({
  client: kind,
  details: { grant: id, scopesGranted: scopes, key: fingerprint(apiKey) },
});

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new GatewayError('oauth_metadata_invalid');
  }
}
