// Where E2B is and how the SDK is told: every option by hand, because what is left out the SDK reads from the
// environment. Knows no sandbox.
import { Sandbox } from '@e2b/code-interpreter';
import { ApiClient, ConnectionConfig } from 'e2b';
import { traceHeaders } from '../trace.ts';

export type Connection = {
  readonly apiUrl: string;
  /** One address for all sandboxes (self-hosting, local mode). Undefined: each has its own below `domain`. */
  readonly sandboxUrl: string | undefined;
  readonly domain: string;
};

// The one option that cannot be given as "none": without it the SDK would ask the environment.
Object.defineProperty(ConnectionConfig, 'sandboxUrl', { get: () => undefined });

export type SdkOptions = {
  readonly apiKey: string;
  readonly apiUrl: string;
  readonly sandboxUrl?: string;
  readonly domain: string;
  readonly debug: false;
  /** The trace goes on to the API; what runs in sandboxes is not told of it. */
  readonly apiHeaders: Readonly<Record<string, string>>;
  readonly requestTimeoutMs: number;
  readonly signal: AbortSignal;
};

export function sdkOptions(
  { apiUrl, sandboxUrl, domain }: Connection,
  call: { readonly apiKey: string; readonly signal: AbortSignal; readonly timeoutMs: number },
): SdkOptions {
  return {
    apiKey: call.apiKey,
    apiUrl,
    ...(sandboxUrl !== undefined && { sandboxUrl }),
    domain,
    debug: false,
    apiHeaders: traceHeaders(),
    requestTimeoutMs: call.timeoutMs,
    signal: call.signal,
  };
}

/** For the few calls the SDK has no method for. */
export const apiOf = (options: SdkOptions) => new ApiClient(new ConnectionConfig(options)).api;

export { Sandbox };
