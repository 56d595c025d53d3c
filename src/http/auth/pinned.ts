// Built-in documents of well-known clients, as published in 2026-09. Some of their servers answer requests from data centres
// with a bot check, so nothing is fetched for these ids. If a client changes its callbacks, they are refused here.
import type { ClientDocument } from './client-document.ts';

export type ClientKind =
  | 'claude'
  | 'claude_code'
  | 'chatgpt'
  | 'codex'
  | 'vscode'
  | 'page'
  | 'other_cimd'
  | 'registered';

type Pinned = ClientDocument & { readonly kind: ClientKind };

export const PINNED: Readonly<Record<string, Pinned>> = {
  'https://claude.ai/oauth/mcp-oauth-client-metadata': {
    kind: 'claude',
    name: 'Claude',
    callbacks: ['https://claude.ai/api/mcp/auth_callback'],
  },
  'https://claude.ai/oauth/claude-code-client-metadata': {
    kind: 'claude_code',
    name: 'Claude Code',
    callbacks: ['http://localhost/callback', 'http://127.0.0.1/callback'],
  },
  'https://chatgpt.com/oauth/client.json': {
    kind: 'chatgpt',
    name: 'ChatGPT',
    callbacks: ['https://chatgpt.com/connector_platform_oauth_redirect'],
  },
  'https://chatgpt.com/oauth/codex/client.json': {
    kind: 'codex',
    name: 'Codex',
    callbacks: ['http://127.0.0.1/callback', 'http://localhost/callback'],
  },
  'https://vscode.dev/oauth/client-metadata.json': {
    kind: 'vscode',
    name: 'Visual Studio Code',
    callbacks: ['http://127.0.0.1:33418/', 'https://vscode.dev/redirect'],
  },
  'https://zed.dev/oauth/client-metadata.json': {
    kind: 'other_cimd',
    name: 'Zed',
    callbacks: ['http://127.0.0.1/callback'],
  },
};

/** The gateway's own page signs in like any public client, with the issuer's URL as its id. */
export const ownPage = (issuer: string): readonly [string, Pinned] => [
  `${issuer}/`,
  { kind: 'page', name: 'The page of this gateway', callbacks: [`${issuer}/`] },
];
