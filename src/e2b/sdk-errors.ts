// Recognizes the errors of E2B's SDK, API and proxy. The SDK has few error codes, so some causes can only be read from
// messages. All matching of messages is in this file; test/broker/sdk-errors.test.ts has the original messages.

export type SdkError = {
  readonly name: string;
  readonly message: string;
  /** HTTP status of the response. Undefined: there may have been none. */
  readonly status: number | undefined;
};

const STATUS_OF: ReadonlyMap<string, number> = new Map([
  ['InvalidArgumentError', 400],
  ['AuthenticationError', 401],
  ['NotFoundError', 404],
  ['FileNotFoundError', 404],
  ['SandboxNotFoundError', 404],
  ['RateLimitError', 429],
  ['ServiceBusyError', 503],
  ['NotEnoughSpaceError', 507],
]);
const WITHOUT_STATUS = /^(?:Sandbox|Timeout|Template|CommandExit)Error$/;

/** Matches names, not classes: our own requests to sandboxes throw errors with the SDK's names. Undefined if none. */
export function readSdkError(caught: unknown): SdkError | undefined {
  const { name, message, statusCode } = fieldsOf(caught);
  if (typeof name !== 'string') return undefined;
  const usual = STATUS_OF.get(name);
  if (usual === undefined && !WITHOUT_STATUS.test(name)) return undefined;
  return {
    name,
    message: typeof message === 'string' ? message : '',
    status: typeof statusCode === 'number' ? statusCode : usual,
  };
}

/** The SDK has a dozen messages for this; some of them mention a paused sandbox or a timeout. */
export const isSandboxMissing = (name: string, message: string): boolean =>
  isNamedSandboxNotFound({ name }) || /probably not running anymore|sandbox was not found/i.test(message);

export const isNamedSandboxNotFound = (caught: unknown): boolean => fieldsOf(caught).name === 'SandboxNotFoundError';

/** Whether the connection was lost because the sandbox ended or was paused. */
export const endedMeanwhile = (message: string): boolean =>
  /likely due to sandbox timeout|^(?:\d+: )?\[(?:unknown|unavailable)\] (?:terminated|the sandbox was stopped)/.test(
    message,
  );

export type CommandEnd = { readonly exitCode: number; readonly error: unknown } | 'timed out';

/** Reads how a command ended from the error of `wait()`. Undefined: the command may still be running. */
export function commandEndOf(caught: unknown): CommandEnd | undefined {
  const { name, message, exitCode, error } = fieldsOf(caught);
  if (name === 'CommandExitError' && typeof exitCode === 'number') return { exitCode, error };
  return name === 'TimeoutError' && String(message).includes('deadline_exceeded') ? 'timed out' : undefined;
}

/** Whether E2B's proxy says that the sandbox is running but nothing listens on the port. */
export const isPortClosed = (status: number, body: string): boolean =>
  status === 502 && body.includes('port is not open');

/** A 429 means either too many concurrent sandboxes or too many requests; this recognizes the first. */
export const isConcurrencyLimit = (message: string): boolean => /concurren/i.test(message);

/** Code of a failed fetch or of its cause, e.g. `ECONNREFUSED` or `UND_ERR_SOCKET`. Undefined: another error. */
export function connectionFailureOf(caught: unknown): string | undefined {
  for (let at = caught, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const { code } = fieldsOf(at);
    if (typeof code === 'string' && /^[A-Z][A-Z0-9_]+$/.test(code)) return code;
  }
  return caught instanceof TypeError && caught.message === 'fetch failed' ? 'no connection' : undefined;
}

const fieldsOf = (caught: unknown) => (caught ?? {}) as Readonly<Record<string, unknown>>;
