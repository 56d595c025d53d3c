// GET and POST /authorize: the sign-in page, and the user's decision. There are no cookies and no sessions: the page is shown
// and the key is pasted each time.
import type { Request, RequestHandler, Response } from 'express';
import type { Api } from '../../api.ts';
import { GatewayError, toGatewayError } from '../../errors.ts';
import type { Seal } from '../../ground/seal.ts';
import { fingerprint, type Scope } from '../../principal.ts';
import type { Route } from '../routes.ts';
import { decide, openPending, type Pending, sealPending } from './authorize.ts';
import type { Clients } from './clients.ts';
import { type Consent, consentPage, type Problem } from './consent.ts';
import type { OAuthRecord, Report } from './events.ts';
import { writePageFault } from './faults.ts';
import { type Parameters, readParameters } from './form.ts';
import type { Grants } from './grants.ts';
import { PAGE_HEADERS } from './page.ts';
import type { Rates } from './rates.ts';
import { withAnswer } from './redirects.ts';
import { normalizeScopes, SCOPES, type ScopeNames } from './scopes.ts';
import { readText } from './small-body.ts';
import type { KeyCheck } from './token.ts';

export type AuthorizeDeps = {
  readonly issuer: string;
  readonly seal: Seal;
  readonly clients: Clients;
  readonly grants: Grants;
  readonly rates: Rates;
  readonly report: Report;
  readonly scopeNames: ScopeNames;
  readonly api: Pick<Api, 'title' | 'key' | 'signIn'>;
  readonly checkKey: KeyCheck;
};

const PATH = '/authorize';
const MAX_FORM_BYTES = 16_384;

const idOf = (request: Request): string => (request as Request & { id: string }).id;

export function authorizeRoutes(deps: AuthorizeDeps): readonly Route[] {
  const shared = { path: PATH, auth: 'none', host: 'allowed', origin: 'own', writeFault: writePageFault } as const;
  return [
    {
      ...shared,
      method: 'GET',
      description: 'Sign-in page for clients that use OAuth.',
      handlers: [deps.rates.page, show(deps)],
    },
    {
      ...shared,
      method: 'POST',
      description: "The user's decision on that page.",
      handlers: [deps.rates.key, readText(MAX_FORM_BYTES), submit(deps)],
    },
  ];
}

function show(deps: AuthorizeDeps): RequestHandler {
  const { issuer, api, rates, report, seal, scopeNames } = deps;
  return async (request, response) => {
    const requestId = idOf(request);
    try {
      const parameters = readParameters(new URL(request.originalUrl, issuer).search);
      const decision = await decide(parameters, deps, () => rates.admitFetch(request.ip));
      const { client, callback, state } = decision;
      const about = { clientHost: client.host, callbackHost: new URL(callback).host };
      if ('refusal' in decision) {
        const { error, description } = decision.refusal;
        report({ step: 'page', outcome: 'refused', client: client.kind }, requestId, { ...about, reason: error });
        leave(response, callback, { error, error_description: description, state, iss: issuer });
        return;
      }
      const { pending } = decision;
      report({ step: 'page', outcome: 'ok', client: client.kind }, requestId, {
        ...about,
        scopesAsked: scopeNames.of(pending.scopes),
      });
      showPage(response, 200, { pending, sealed: await sealPending(seal, pending), issuer, api });
    } catch (caught) {
      report({ step: 'page', outcome: toGatewayError(caught).code, client: 'unknown' }, requestId);
      throw caught;
    }
  };
}

function submit(deps: AuthorizeDeps): RequestHandler {
  const { issuer, seal, report } = deps;
  return async (request, response) => {
    const requestId = idOf(request);
    let client: OAuthRecord['client'] = 'unknown';
    try {
      checkOrigin(request, issuer);
      const form = readParameters(typeof request.body === 'string' ? request.body : '');
      const pending = await openPending(seal, form.get('request') ?? '');
      client = pending.kind;
      await answer(form, pending, { response, requestId }, deps);
    } catch (caught) {
      report({ step: 'decision', outcome: toGatewayError(caught).code, client }, requestId);
      throw caught;
    }
  };
}

type Exchange = { readonly response: Response; readonly requestId: string };

async function answer(form: Parameters, pending: Pending, { response, requestId }: Exchange, deps: AuthorizeDeps) {
  const { issuer, api, grants, report, scopeNames } = deps;
  const { kind, callback, challenge, state, clientHost } = pending;
  const about = { clientHost, callbackHost: new URL(callback).host, scopesAsked: scopeNames.of(pending.scopes) };
  if (form.get('decision') !== 'allow') {
    report({ step: 'decision', outcome: 'denied', client: kind }, requestId, about);
    leave(response, callback, { error: 'access_denied', error_description: 'The person declined', state, iss: issuer });
    return;
  }
  const scopes = chosen(form, pending.scopes);
  const outcome = scopes.length === 0 ? ({ problem: 'scopes' } as const) : await tryKey(form.get('key') ?? '', deps);
  if ('problem' in outcome) {
    const { problem } = outcome;
    report({ step: 'decision', outcome: 'again', client: kind }, requestId, { ...about, reason: problem });
    const sealed = form.get('request') ?? '';
    showPage(response, problem === 'unavailable' ? 503 : 400, {
      pending,
      sealed,
      issuer,
      api,
      problem,
      ticked: scopes,
    });
    return;
  }
  const { apiKey } = outcome;
  const grant = grants.begin({ apiKey, kind, scopes, clientId: pending.clientId });
  const code = await grants.code({ grant, callback, challenge });
  report({ step: 'decision', outcome: 'ok', client: kind }, requestId, {
    ...about,
    scopesGranted: scopeNames.of(scopes),
    key: fingerprint(apiKey),
    grant: grant.id,
  });
  leave(response, callback, { code, state, iss: issuer });
}

/** The user may grant fewer scopes than the client asked for, never more. */
function chosen(form: Parameters, asked: readonly Scope[]): readonly Scope[] {
  return normalizeScopes(SCOPES.filter(scope => form.has(scope) && asked.includes(scope)));
}

async function tryKey(
  text: string,
  { api, checkKey }: AuthorizeDeps,
): Promise<{ apiKey: string } | { problem: Problem }> {
  let apiKey: string;
  try {
    apiKey = api.key.parse(text.trim());
  } catch {
    return { problem: 'key' };
  }
  const verdict = await checkKey(apiKey);
  return verdict === 'valid' ? { apiKey } : { problem: verdict === 'refused' ? 'key' : 'unavailable' };
}

/** Only the gateway's own page may post here. Browsers send the origin of a form, which a page cannot forge. */
function checkOrigin({ headers }: Request, issuer: string): void {
  const site = headers['sec-fetch-site'];
  const isOurs =
    (site !== undefined || headers.origin !== undefined) &&
    (site === undefined || site === 'same-origin') &&
    (headers.origin === undefined || headers.origin === new URL(issuer).origin);
  if (!isOurs) throw new GatewayError('oauth_form_foreign');
}

function showPage(response: Response, status: number, consent: Consent): void {
  response.status(status).set(PAGE_HEADERS).send(consentPage(consent));
}

/** Status 303: the browser follows with a GET, so the form with the key is not sent on. */
function leave(response: Response, callback: string, parameters: Readonly<Record<string, string | undefined>>): void {
  response
    .status(303)
    .set({ Location: withAnswer(callback, parameters), 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' })
    .end();
}
