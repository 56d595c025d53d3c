// Creates an SDK instance for a sandbox whose requests all go through a Wire. The SDK's own transport follows redirects
// and reads without limits, but the agent's program may be what answers in a sandbox. So the SDK's command, file and
// health clients are replaced. Only this file uses private fields of the SDK; a test fails when they change.
import { createConnectTransport } from '@connectrpc/connect-web';
import { z } from 'zod';
import { omitUndefined } from '../ground/omit-undefined.ts';
import { type Connection, notItsProtocol, type SdkOptions } from './connection.ts';
import { type CommandHandle, ConnectionConfig, type PlainSandbox, Sandbox, toWire } from './sdk.ts';
import type { Wire } from './wire.ts';

/** What requests to a sandbox need. It stays on the host and is kept for one run. */
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

/** Reads the access from an SDK instance that was returned for a created or resumed sandbox. */
export function accessOf(made: PlainSandbox): Access {
  const { sandboxId, sandboxDomain, trafficAccessToken, envdAccessToken, envdApi } = made as unknown as Inside;
  return checkAccess({
    sandboxId,
    domain: sandboxDomain,
    envdVersion: envdApi.version,
    envdAccessToken,
    trafficAccessToken,
  });
}

const optional = (form: RegExp) =>
  z
    .string()
    .regex(form)
    .nullish()
    .transform(given => given ?? undefined);
const token = optional(/^[\x21-\x7e]{1,10000}$/);
const accessShape = z.object({
  sandboxId: z.string().regex(/^[\w-]{1,200}$/),
  domain: optional(/^[a-z0-9.-]{1,253}(?::\d{1,5})?$/i),
  envdVersion: z.string().regex(/^v?\d+\.\d+\.\d+[\w.+-]{0,60}$/),
  envdAccessToken: token,
  trafficAccessToken: token,
});

/** Checks the API's response, because its parts become URLs and headers. @throws GatewayError `upstream_failed` */
export function checkAccess(answered: Readonly<Record<keyof Access, unknown>>): Access {
  const { success, data } = accessShape.safeParse(answered);
  if (!success) throw notItsProtocol();
  return data;
}

export function openHandle(access: Access, options: SdkOptions, wire: Pick<Wire, 'fetch'>): Sandbox {
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

/** Clears the output that the SDK's handle has collected, because it collects without a limit. */
export function discardKeptOutput(handle: CommandHandle): void {
  Object.assign(handle, { _stdout: '', _stderr: '' });
}

/** The URL at which the gateway reaches a port of a sandbox, and the headers that route to it. */
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

/** The origin of the sandbox's daemon, the only one that a wire to it may reach. */
export function daemonOrigin({ sandboxId, domain }: Access, options: SdkOptions): string {
  const place = { sandboxDomain: domain ?? options.domain, envdPort: DAEMON_PORT };
  return new URL(new ConnectionConfig(options).getSandboxUrl(sandboxId, place)).origin;
}
