// The sign-in page: shows which app asks, where the response is sent and what the app may do, and asks for the key. Pure.

import type { Api } from '../../api.ts';
import type { Pending } from './authorize.ts';
import { escapeHtml } from './names.ts';
import { page } from './page.ts';
import { isLoopback } from './redirects.ts';
import { SCOPES } from './scopes.ts';

/** Why the page is shown again. */
export type Problem = 'key' | 'scopes' | 'unavailable';

const problemText = ({ title, signIn }: Consent['api']): Readonly<Record<Problem, string>> => ({
  // One sentence for both: the page must not show whether a key is malformed or not active.
  key: `${title} does not accept this key. Check that you copied all of it: ${signIn.keyForm}.`,
  scopes: 'Choose at least one thing the app may do, or cancel.',
  unavailable: `${title} did not answer, so the key could not be checked. Try again in a moment.`,
});

export type Consent = {
  readonly pending: Pending;
  /** `pending` in encrypted form. */
  readonly sealed: string;
  readonly issuer: string;
  readonly api: Pick<Api, 'title' | 'signIn'>;
  readonly problem?: Problem;
  /** The scopes that the user had selected when the page is shown again. */
  readonly ticked?: readonly string[];
};

export function consentPage({ pending, sealed, issuer, api, problem, ticked = pending.scopes }: Consent): string {
  const name = pending.name ?? 'An app without a name';
  const title = escapeHtml(api.title);
  const options = SCOPES.filter(scope => pending.scopes.includes(scope))
    .map(
      scope =>
        `<label><input type="checkbox" name="${scope}" value="on"${ticked.includes(scope) ? ' checked' : ''}> ${escapeHtml(api.signIn.allows[scope])}</label>`,
    )
    .join('\n');
  const alert =
    problem && `<p class="problem" role="alert" id="problem">${escapeHtml(problemText(api)[problem])}</p>\n`;
  return page(
    `${problem ? 'Problem: ' : ''}Connect ${name} to ${api.title}`,
    `<h1>Connect ${escapeHtml(name)} to your ${title} account?</h1>
${alert ?? ''}<p>${identity(pending)} asks ${escapeHtml(new URL(issuer).host)}, a gateway to ${title}, for access.</p>
<p>The answer goes to<br><span class="host">${escapeHtml(destination(pending.callback))}</span></p>
${isOnThisComputer(pending.callback) ? LOCAL_WARNING : ''}<form method="post" action="/authorize">
<input type="hidden" name="request" value="${escapeHtml(sealed)}">
<fieldset>
<legend>The app may</legend>
${options}
</fieldset>
<p><label for="key" class="label">Your ${title} API key</label>
<input type="password" id="key" name="key" required autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="256" aria-describedby="${problem ? 'problem ' : ''}key-help"${problem === 'key' ? ' aria-invalid="true"' : ''}></p>
<p class="soft" id="key-help">Make one in the <a href="${escapeHtml(api.signIn.keysUrl)}" target="_blank" rel="noopener noreferrer">${title} dashboard</a>, best in a team of its own, so that the app reaches nothing else. Paste it only if you trust ${escapeHtml(new URL(issuer).host)}.</p>
<p class="soft">This gateway keeps nothing. Your key is encrypted inside the token the app gets, for up to 180 days. Revoke the key at ${title} to end access.</p>
<p class="actions">
<button class="act" name="decision" value="allow">Connect</button>
<button name="decision" value="deny" formnovalidate>Cancel</button>
</p>
</form>`,
  );
}

const LOCAL_WARNING =
  '<p class="note">Continue only if you just started this from an app on this computer. Any program on it could be asking.</p>\n';

function identity({ name, clientHost }: Pending): string {
  const shown = `<strong>${escapeHtml(name ?? 'An app without a name')}</strong>`;
  return clientHost === undefined
    ? `${shown} (it registered itself; the name is not verified)`
    : `${shown} (described by <strong>${escapeHtml(clientHost)}</strong>)`;
}

const isOnThisComputer = (callback: string): boolean => isLoopback(callback) || !/^https?:/.test(callback);

/** Shows the host in ASCII (punycode), so that letters that look alike can be told apart. */
function destination(callback: string): string {
  const { host, protocol } = new URL(callback);
  if (isLoopback(callback)) return `${host} (this computer)`;
  return protocol === 'https:' || protocol === 'http:' ? host : `${protocol}//${host} (an app on this computer)`;
}
