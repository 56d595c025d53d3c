// Shared by the clients in programs: a page that receives the response, and a provider that keeps what an MCP
// client learns while it signs in.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Callback = { readonly url: string; answer(): Promise<URLSearchParams>; close(): Promise<void> };

/** The app's page on loopback. */
export async function startCallback(host = '127.0.0.1'): Promise<Callback> {
  let arrived: (answer: URLSearchParams) => void = () => {};
  const answer = new Promise<URLSearchParams>(resolve => {
    arrived = resolve;
  });
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://x');
    if (url.pathname === '/callback') arrived(url.searchParams);
    response.setHeader('content-type', 'text/html').end('<title>Back in the app</title>Done.');
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${port}/callback`,
    answer: () => answer,
    async close() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

/** Compatible with the providers of both versions of the SDK and of the AI SDK. */
export class Provider {
  readonly redirectUrl: string;
  readonly clientMetadataUrl: string | undefined;
  /** The URL that the client wanted to open in a browser. */
  authorizationUrl: URL | undefined;
  readonly sentState = randomUUID();
  #client: unknown;
  #tokens: unknown;
  #verifier = '';
  #server: unknown;

  constructor(redirectUrl: string, clientMetadataUrl?: string) {
    this.redirectUrl = redirectUrl;
    this.clientMetadataUrl = clientMetadataUrl;
  }

  get clientMetadata() {
    return {
      client_name: 'Test client',
      redirect_uris: [this.redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    };
  }

  state = () => this.sentState;
  storedState = () => this.sentState;
  saveState = () => {};
  clientInformation = () => this.#client as never;
  isClientInformationDynamicallyRegistered = () => true;
  saveClientInformation = (client: unknown): void => {
    this.#client = client;
  };
  authorizationServerInformation = () => this.#server as never;
  saveAuthorizationServerInformation = (server: unknown): void => {
    this.#server = server;
  };
  tokens = () => this.#tokens as never;
  saveTokens = (tokens: unknown): void => {
    this.#tokens = tokens;
  };
  redirectToAuthorization = (url: URL): void => {
    this.authorizationUrl = url;
  };
  saveCodeVerifier = (verifier: string): void => {
    this.#verifier = verifier;
  };
  codeVerifier = (): string => this.#verifier;

  /** Makes the access token invalid, as after an hour. */
  spoilAccessToken(): void {
    this.#tokens = { ...(this.#tokens as object), access_token: 'e2bmcp_spoilt' };
  }

  get refreshToken(): unknown {
    return (this.#tokens as { refresh_token?: unknown }).refresh_token;
  }
}

/** The first link to the sign-in page that a program prints. */
export function linkIn(...streams: readonly NodeJS.ReadableStream[]): Promise<string> {
  return new Promise(resolve => {
    let text = '';
    for (const stream of streams)
      stream.on('data', (chunk: Buffer) => {
        text += chunk;
        const link = /http:\/\/127\.0\.0\.1:\d+\/authorize\?[\w%.~+&=:/-]+(?=[^\w%.~+&=:/-])/.exec(text)?.[0];
        if (link !== undefined) resolve(link);
      });
  });
}
