// The page's MCP client: the official one, which calls /mcp like any other. Knows no views.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Fault, faultOf, toFault } from './fault.ts';
import { ask } from './question/question.ts';
import { noteFault, session } from './session/session.ts';
import { refreshTokens } from './session/sign-in.ts';
import { settings } from './settings.ts';

export type Tool = 'search' | 'execute_read' | 'execute_write';

export type Block =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image'; readonly data: string; readonly mimeType: string }
  | {
      readonly type: 'resource';
      readonly resource: { readonly uri: string; readonly mimeType?: string; readonly blob?: string };
    };
export type Answer = { readonly blocks: readonly Block[]; readonly text: string; readonly isError: boolean };

export type CallOptions = { readonly signal?: AbortSignal; readonly onProgress?: (message: string) => void };

/** As long as possible: the gateway ends runs, and an earlier timeout here would lose the response. */
const TIMEOUT_MS = 2 ** 31 - 1;
/** A revision without handshake, so that the page still works after the gateway was restarted. */
const REVISION = '2026-07-28';

/** @throws Fault */
export async function callTool(tool: Tool, code: string, { signal, onProgress }: CallOptions = {}): Promise<Answer> {
  try {
    const client = await connect();
    const { content, isError } = await client.callTool(
      { name: tool, arguments: { code } },
      {
        timeout: TIMEOUT_MS,
        ...(signal && { signal }),
        ...(onProgress && { onprogress: ({ message }) => onProgress(message ?? '') }),
      },
    );
    const blocks = content as readonly Block[];
    const text = blocks.map(block => (block.type === 'text' ? block.text : '')).join('\n');
    return { blocks, text, isError: isError === true };
  } catch (caught) {
    if (signal?.aborted) throw caught;
    const fault = toFault(caught);
    noteFault(fault);
    throw fault;
  }
}

/** Checks that the API behind the gateway accepts the key as well. @throws Fault */
export async function checkCredential(): Promise<void> {
  const { text, isError } = await callTool('execute_read', CHECK);
  if (/\b401\b/.test(text)) throw new Fault('refused', `${settings.title} does not accept this key.`);
  if (isError) throw new Fault('failed', text.slice(0, 300));
}

const CHECK = `async () => (await api.request({ method: 'GET', path: '/v2/sandboxes', query: { limit: 1 } })).status`;

let connected: Promise<Client> | undefined;

function connect(): Promise<Client> {
  connected ??= open().catch((caught: unknown) => {
    connected = undefined;
    throw caught;
  });
  return connected;
}

async function open(): Promise<Client> {
  const client = new Client(
    { name: 'page', title: 'The page of the gateway', version: settings.version },
    { versionNegotiation: { mode: { pin: REVISION } }, capabilities: { elicitation: { form: {} } } },
  );
  client.setRequestHandler('elicitation/create', ({ params }) => ask(params));
  await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', location.origin), { fetch: send }));
  return client;
}

/** Sends a request with the current credential. */
const send = async (url: string | URL, init: RequestInit = {}): Promise<Response> => {
  const credential = await freshCredential();
  const headers = new Headers(init.headers);
  const bearer = credential?.kind === 'key' ? credential.key : credential?.access;
  if (bearer !== undefined) headers.set('authorization', `Bearer ${bearer}`);
  const response = await fetch(url, { ...init, headers, cache: 'no-store', credentials: 'omit' }).catch(
    (caught: unknown) => {
      if (init.signal?.aborted) throw caught;
      throw new Fault('offline', 'The gateway does not answer. It may be restarting.');
    },
  );
  if (!response.ok) throw await faultOf(response, credential?.kind === 'token');
  return response;
};

const EARLY_MS = 30_000;
let refreshing: Promise<void> | undefined;

async function freshCredential() {
  const { credential } = session.get();
  if (credential?.kind === 'token' && credential.expiresAtMs < Date.now() + EARLY_MS) {
    refreshing ??= refreshTokens(credential)
      .then(next => session.set(now => (now.credential === credential ? { ...now, credential: next } : now)))
      .finally(() => {
        refreshing = undefined;
      });
    await refreshing;
  }
  return session.get().credential;
}
