// Serves the web page: built files, and the HTML that loads them. The page is an ordinary client of /mcp; what it needs to
// know about this gateway is in its HTML as data. Files are read on the first request.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { RequestHandler, Response } from 'express';
import { builtFile } from '../ground/built.ts';
import { escapeHtml } from './auth/names.ts';
import type { Route } from './routes.ts';

export type PageFacts = {
  readonly title: string;
  readonly version: string;
  /** Base URL under which clients reach the gateway; undefined: the one in the browser's address bar. */
  readonly publicUrl: string | undefined;
  /** Only in local mode; a page never contains any other key. */
  readonly demoKey: string | undefined;
  /** Whether the OAuth front is on. */
  readonly signIn: boolean;
  /** Whether API keys are accepted as bearer tokens. */
  readonly keys: boolean;
  readonly keyExample: string;
};

export type Page = {
  readonly routes: readonly Route[];
  /** The page for a browser that opens an endpoint for programs. */
  readonly signpost: (path: string) => RequestHandler;
};

type Files = {
  readonly script: string;
  readonly style: string;
  readonly files: readonly { readonly name: string; readonly type: string }[];
};

/** `blob:` allows images that a run returned. HTML is shown in a frame without a URL, which needs no entry. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HTML_HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': POLICY,
  'X-Frame-Options': 'DENY',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Permissions-Policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()',
  'Cross-Origin-Opener-Policy': 'same-origin',
};

const YEAR_SECONDS = 31_536_000;
const DAY_SECONDS = 86_400;

/** Undefined if this build has no page. */
export function createPage(facts: PageFacts): Page | undefined {
  const list = builtFile('page/files.json');
  if (!existsSync(list)) return undefined;
  const built = JSON.parse(readFileSync(list, 'utf8')) as Files;
  const read = cachedFiles();
  const shared = { method: 'GET', auth: 'none', host: 'allowed' } as const;
  return {
    routes: [
      { ...shared, path: '/', description: 'The web page.', handlers: [serveHtml(facts, built)] },
      ...built.files.map(({ name, type }) => ({
        ...shared,
        path: assetPath(name),
        label: '/assets',
        description: 'A script or style of the page.',
        handlers: [serveAsset(name, type, read)],
      })),
      ...(['icon.svg', 'icon.png'] as const).map(name => ({
        ...shared,
        path: `/${name}`,
        description: 'The icon.',
        handlers: [serveIcon(name, read)],
      })),
    ],
    signpost: path => (_request, response) =>
      void response
        .set(HTML_HEADERS)
        .set('Cache-Control', 'no-store')
        .send(signpostHtml(path, facts.title, built.style)),
  };
}

const assetPath = (name: string): string => `/assets/${name}`;

type ReadBuilt = (name: string) => Promise<Buffer>;

function cachedFiles(): ReadBuilt {
  const files = new Map<string, Promise<Buffer>>();
  return name => {
    const known = files.get(name);
    if (known !== undefined) return known;
    const reading = readFile(builtFile(`page/${name}`));
    files.set(name, reading);
    reading.catch(() => files.delete(name));
    return reading;
  };
}

function serveAsset(name: string, type: string, read: ReadBuilt): RequestHandler {
  return async (request, response) => {
    const encoding = request.acceptsEncodings(['br', 'gzip', 'identity']);
    const extension = encoding === 'br' ? '.br' : encoding === 'gzip' ? '.gz' : '';
    response.set({
      'Content-Type': type,
      'Cache-Control': `public, max-age=${YEAR_SECONDS}, immutable`,
      'X-Content-Type-Options': 'nosniff',
      Vary: 'Accept-Encoding',
    });
    if (extension !== '' && typeof encoding === 'string') response.set('Content-Encoding', encoding);
    sendTagged(response, `"${name}${extension}"`, await read(`${name}${extension}`));
  };
}

const ICON_TYPES = { 'icon.svg': 'image/svg+xml', 'icon.png': 'image/png' } as const;

function serveIcon(name: keyof typeof ICON_TYPES, read: ReadBuilt): RequestHandler {
  return async (_request, response) => {
    const bytes = await read(name);
    response.set({
      'Content-Type': ICON_TYPES[name],
      'Cache-Control': `public, max-age=${DAY_SECONDS}`,
      // An SVG that is opened directly is a document and could run scripts.
      'Content-Security-Policy': "default-src 'none'",
      'X-Content-Type-Options': 'nosniff',
    });
    sendTagged(response, tagOf(bytes), bytes);
  };
}

function serveHtml(facts: PageFacts, built: Files): RequestHandler {
  let html: Promise<Buffer> | undefined;
  return async (_request, response) => {
    html ??= readFile(builtFile('page/index.html'), 'utf8').then(template =>
      Buffer.from(
        fill(template, {
          title: escapeHtml(facts.title),
          script: assetPath(built.script),
          style: assetPath(built.style),
          // Only `<` could end the script element that contains the settings.
          settings: JSON.stringify(facts).replaceAll('<', '\\u003c'),
        }),
      ),
    );
    const bytes = await html;
    response.set(HTML_HEADERS).set('Cache-Control', 'no-cache');
    sendTagged(response, tagOf(bytes), bytes);
  };
}

const fill = (template: string, values: Readonly<Record<string, string>>): string =>
  template.replace(/\{\{(\w+)\}\}/g, (_all, name: string) => values[name] ?? '');

const tagOf = (bytes: Buffer): string => `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;

function sendTagged(response: Response, tag: string, bytes: Buffer): void {
  response.set('ETag', tag);
  const known = (response.req.headers['if-none-match'] ?? '').split(',').map(each => each.trim().replace(/^W\//, ''));
  if (known.includes(tag)) response.status(304).end();
  else response.send(bytes);
}

const signpostHtml = (path: string, title: string, style: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} code mode</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${assetPath(style)}">
</head>
<body>
<main>
<h1>This address is for programs</h1>
<p><code>${escapeHtml(path)}</code> is the MCP endpoint of this gateway: clients send POST requests to it.</p>
<p><a href="/">Connect a client, try it, or watch your sandboxes</a></p>
</main>
</body>
</html>
`;
