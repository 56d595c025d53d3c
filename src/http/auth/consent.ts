// The page on which a person decides: which app asks, where the answer goes, what it may do, and the key. Pure.
import type { Pending } from './authorize.ts';
import { escapeHtml } from './names.ts';
import { page } from './page.ts';
import { isLoopback } from './redirects.ts';
import { READ_SCOPE, WRITE_SCOPE } from './scopes.ts';

/** Why the person sees the page again. */
export type Problem = 'key' | 'scopes' | 'unavailable';

const PROBLEMS: Readonly<Record<Problem, string>> = {
  // One sentence for both: the page must not tell a wrong form from a key that is not live.
  key: 'E2B does not accept this key. Check that you copied all of it: "e2b_" and 40 letters and digits.',
  scopes: 'Choose at least one thing the app may do, or cancel.',
  unavailable: 'E2B did not answer, so the key could not be checked. Try again in a moment.',
};

export type Consent = {
  readonly pending: Pending;
  /** `pending`, sealed. */
  readonly sealed: string;
  readonly issuer: string;
  readonly problem?: Problem;
  /** What was ticked last time. */
  readonly ticked?: readonly string[];
};

export function consentPage({ pending, sealed, issuer, problem, ticked = pending.scopes }: Consent): string {
  const name = pending.name ?? 'An app without a name';
  const boxes = [
    ['read', READ_SCOPE, 'Look: list and read sandboxes, files, logs and templates'],
    [
      'write',
      WRITE_SCOPE,
      'Change and delete: create and kill sandboxes, run commands, write files. Looking is part of it',
    ],
  ] as const;
  const options = boxes
    .filter(([, scope]) => pending.scopes.includes(scope))
    .map(
      ([field, scope, text]) =>
        `<label><input type="checkbox" name="${field}" value="on"${ticked.includes(scope) ? ' checked' : ''}> ${text}</label>`,
    )
    .join('\n');
  const alert = problem && `<p class="problem" role="alert" id="problem">${escapeHtml(PROBLEMS[problem])}</p>\n`;
  return page(
    `${problem ? 'Problem: ' : ''}Connect ${name} to E2B`,
    `<h1>Connect ${escapeHtml(name)} to your E2B account?</h1>
${alert ?? ''}<p>${identity(pending)} asks ${escapeHtml(new URL(issuer).host)}, a gateway to E2B, for access.</p>
<p>The answer goes to<br><span class="host">${escapeHtml(destination(pending.callback))}</span></p>
${isOnThisComputer(pending.callback) ? LOCAL_WARNING : ''}<form method="post" action="/authorize">
<input type="hidden" name="request" value="${escapeHtml(sealed)}">
<fieldset>
<legend>The app may</legend>
${options}
</fieldset>
<p><label for="key" class="label">Your E2B API key</label>
<input type="password" id="key" name="key" required autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="256" aria-describedby="${problem ? 'problem ' : ''}key-help"${problem === 'key' ? ' aria-invalid="true"' : ''}></p>
<p class="soft" id="key-help">Make one in the <a href="https://e2b.dev/dashboard?tab=keys" target="_blank" rel="noopener noreferrer">E2B dashboard</a>, best in a team of its own, so that the app reaches nothing else. Paste it only if you trust ${escapeHtml(new URL(issuer).host)}.</p>
<p class="soft">This gateway keeps nothing. Your key is encrypted inside the token the app gets, for up to 180 days. Revoke the key at E2B to end access.</p>
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

/** Hosts in ASCII, as they are on the wire: letters that look alike stay apart. */
function destination(callback: string): string {
  const { host, protocol } = new URL(callback);
  if (isLoopback(callback)) return `${host} (this computer)`;
  return protocol === 'https:' || protocol === 'http:' ? host : `${protocol}//${host} (an app on this computer)`;
}
