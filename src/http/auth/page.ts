// The HTML around every page of the sign-in. No scripts, nothing from other servers, no display in frames. Pure.
import { createHash } from 'node:crypto';
import { escapeHtml } from './names.ts';

const STYLE = `
:root { color-scheme: light dark; --text: #1b1b1f; --soft: #55555f; --page: #f4f4f6; --card: #fff; --line: #c9c9d2; --act: #b33c00; --act-text: #fff; --warn: #fff3d6; --bad: #b00020 }
@media (prefers-color-scheme: dark) { :root { --text: #ececf1; --soft: #b0b0bb; --page: #131316; --card: #1e1e23; --line: #4a4a55; --act: #ff8a4c; --act-text: #1b1b1f; --warn: #3a2f12; --bad: #ff8a94 } }
* { box-sizing: border-box }
body { margin: 0; padding: 1rem; background: var(--page); color: var(--text); font: 1rem/1.5 system-ui, sans-serif }
main { max-width: 34rem; margin: 2vh auto; padding: 1.5rem; background: var(--card); border: 1px solid var(--line); border-radius: .75rem; overflow-wrap: anywhere }
h1 { margin: 0 0 1rem; font-size: 1.35rem; line-height: 1.3 }
p, fieldset { margin: 0 0 1rem }
.host { font-size: 1.5rem; font-weight: 700; line-height: 1.3 }
.soft { color: var(--soft); font-size: .9rem }
.note { padding: .75rem; background: var(--warn); border-radius: .5rem }
.problem { padding: .75rem; border: 2px solid var(--bad); border-radius: .5rem }
fieldset { padding: .75rem; border: 1px solid var(--line); border-radius: .5rem }
legend, .label { font-weight: 600 }
label { display: block; padding: .25rem 0 }
input[type=checkbox] { width: 1.15rem; height: 1.15rem; vertical-align: -.2rem; accent-color: var(--act) }
input[type=password] { display: block; width: 100%; padding: .7rem; font: 1rem ui-monospace, monospace; color: inherit; background: transparent; border: 1px solid var(--soft); border-radius: .5rem }
a { color: inherit }
.actions { display: flex; flex-wrap: wrap; gap: .75rem; margin: 0 }
button { flex: 1 1 9rem; min-height: 2.9rem; font: inherit; font-weight: 600; border-radius: .5rem; border: 1px solid var(--soft); background: transparent; color: inherit; cursor: pointer }
button.act { background: var(--act); border-color: var(--act); color: var(--act-text) }
:focus-visible { outline: 3px solid var(--act); outline-offset: 2px }
`;

/**
 * There is no `form-action`, because browsers apply it to all redirects after the form, also to those of the app.
 * The form's URL is fixed in the page, and nothing can be injected into it.
 */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': POLICY,
  'X-Frame-Options': 'DENY',
  'X-Content-Type-Options': 'nosniff',
  // The form's POST must have an Origin header, and no other site may see the URL with its parameters.
  'Referrer-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

/** `body` is HTML; `title` is text. */
export const page = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`;

/** The page for requests whose error must not be sent to the app's callback. */
export const faultPage = (message: string, requestId: string): string =>
  page(
    'Cannot connect',
    `<h1>Cannot connect</h1>
<p role="alert">${escapeHtml(message)}</p>
<p>Nothing was sent to the app. You can close this page.</p>
<p class="soft">Request ${escapeHtml(requestId)}</p>`,
  );
