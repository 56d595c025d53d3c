// Errors between the page and the gateway, in the few kinds that the page shows differently.

export type FaultKind = 'refused' | 'expired' | 'forbidden' | 'busy' | 'offline' | 'failed';

export class Fault extends Error {
  override readonly name = 'Fault';
  readonly kind: FaultKind;
  readonly retryAfterMs: number | undefined;
  constructor(kind: FaultKind, message: string, retryAfterMs?: number) {
    super(message);
    this.kind = kind;
    this.retryAfterMs = retryAfterMs;
  }
}

const MAX_CHARS = 400;

/** Errors of the gateway are JSON, with or without JSON-RPC; a proxy in front of it may respond with anything. */
export async function faultOf(response: Response, isToken: boolean): Promise<Fault> {
  const message = messageIn(await response.text().catch(() => '')) ?? `The gateway answered ${response.status}.`;
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  const retryAfterMs = Number.isFinite(seconds) ? seconds * 1_000 : undefined;
  switch (response.status) {
    case 401:
      return new Fault(isToken ? 'expired' : 'refused', message);
    case 403:
      return new Fault('forbidden', message);
    case 429:
    case 503:
      return new Fault('busy', message, retryAfterMs);
    case 502:
    case 504:
      return new Fault('offline', 'The gateway does not answer. It may be restarting.');
    default:
      return new Fault('failed', message);
  }
}

function messageIn(text: string): string | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown } };
    return typeof error?.message === 'string' ? error.message.slice(0, MAX_CHARS) : undefined;
  } catch {
    return undefined;
  }
}

/** Finds the Fault in any error, because libraries wrap the errors that `send` in mcp.ts throws. */
export function toFault(caught: unknown): Fault {
  for (let error = caught; error instanceof Error; error = error.cause) if (error instanceof Fault) return error;
  return new Fault('failed', caught instanceof Error ? caught.message.slice(0, MAX_CHARS) : String(caught));
}
