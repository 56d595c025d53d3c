// An SDK instance of a sandbox that talks over our wire only. The SDK's own transport follows redirects and reads without
// bounds, and what answers in a sandbox may be the agent's program; so its command, file and health clients are made anew
// with our fetch. The one place that reaches into the SDK's private fields: a test fails when they move.
import { createConnectTransport } from '@connectrpc/connect-web';
import { omitUndefined } from '../ground/omit-undefined.ts';
import type { Connection, SdkOptions } from './connection.ts';
import { type CommandHandle, ConnectionConfig, type PlainSandbox, Sandbox, toWire } from './sdk.ts';
import type { Wire } from './wire.ts';

/** What it takes to talk to a sandbox. Stays on the host, for one run. */
export type Access = {
  readonly sandboxId: string;
  readonly domain: string | undefined;
  readonly envdVersion: string;
  readonly envdAccessToken: string | undefined;
  readonly trafficAccessToken: string | undefined;
};

export const DAEMON_PORT = 49983;

type Client = new (...args: readonly unknown[]) => unknown;
type Inside = {
  sandboxId: string;
  sandboxDomain: string;
  trafficAccessToken?: string;
  envdAccessToken?: string;
  envdApiUrl: string;
  envdApi: { constructor: Client; version: string };
  files: { constructor: Client };
  commands: { constructor: Client };
  connectionConfig: { headers?: Record<string, string> };
};

/** What an SDK call that made or resumed a sandbox learned. */
export function accessOf(made: PlainSandbox): Access {
  const { sandboxId, sandboxDomain, trafficAccessToken, envdAccessToken, envdApi } = made as unknown as Inside;
  return { sandboxId, domain: sandboxDomain, envdVersion: envdApi.version, envdAccessToken, trafficAccessToken };
}

export function openHandle(access: Access, options: SdkOptions, wire: Wire): Sandbox {
  const { sandboxId, domain, envdVersion, envdAccessToken, trafficAccessToken } = access;
  const sandbox = new Sandbox({
    ...options,
    sandboxId,
    envdVersion,
    ...omitUndefined({ sandboxDomain: domain, envdAccessToken, trafficAccessToken }),
  });
  const inside = sandbox as unknown as Inside;
  const headers = { 'E2b-Sandbox-Id': sandboxId, 'E2b-Sandbox-Port': String(DAEMON_PORT) };
  const userAgent = { 'User-Agent': inside.connectionConfig.headers?.['User-Agent'] ?? '' };
  const transport = createConnectTransport({
    baseUrl: inside.envdApiUrl,
    useBinaryFormat: false,
    fetch: ((url: string, init: RequestInit) => {
      const all = new Headers({ ...userAgent, ...headers });
      new Headers(init.headers).forEach((value, name) => void all.append(name, value));
      if (envdAccessToken !== undefined) all.set('X-Access-Token', envdAccessToken);
      return wire.fetch(url, { ...init, headers: [...all] });
    }) as unknown as typeof fetch,
  });
  const envdApi = new inside.envdApi.constructor(
    {
      apiUrl: inside.envdApiUrl,
      envdAccessToken,
      headers: { ...userAgent, ...headers },
      fetch: toWire((request: Request) => wire.fetch(request)),
    },
    { version: envdVersion },
  ) as Inside['envdApi'];
  inside.envdApi = envdApi;
  inside.files = new inside.files.constructor(transport, envdApi, inside.connectionConfig) as Inside['files'];
  inside.commands = new inside.commands.constructor(transport, envdApi, inside.connectionConfig) as Inside['commands'];
  return sandbox;
}

/** The SDK's handle keeps all output of its command, without a limit. */
export function discardKeptOutput(handle: CommandHandle): void {
  Object.assign(handle, { _stdout: '', _stderr: '' });
}

/** Where a port of a sandbox is reached from here, and the headers that lead there. */
export function addressOf(
  { sandboxId, domain, trafficAccessToken }: Access,
  port: number,
  connection: Connection,
): { readonly baseUrl: string; readonly headers: Readonly<Record<string, string>> } {
  const baseUrl = connection.sandboxUrl ?? `https://${port}-${sandboxId}.${domain ?? connection.domain}`;
  const headers = {
    'e2b-sandbox-id': sandboxId,
    'e2b-sandbox-port': String(port),
    ...(trafficAccessToken !== undefined && { 'e2b-traffic-access-token': trafficAccessToken }),
  };
  return { baseUrl, headers };
}

/** The origin of the daemon: what a wire to it may reach. */
export function daemonOrigin({ sandboxId, domain }: Access, options: SdkOptions): string {
  const place = { sandboxDomain: domain ?? options.domain, envdPort: DAEMON_PORT };
  return new URL(new ConnectionConfig(options).getSandboxUrl(sandboxId, place)).origin;
}
