// The registry of all errors. Each code has the party at fault, the HTTP status (used where the error ends a request),
// and the sentence that a model or a person reads. Does not know where an error is thrown or shown.

/** `agent`: the caller's code or request. `upstream`: the API. `gateway`: this gateway or its current load. */
export type Fault = 'agent' | 'upstream' | 'gateway';

type Entry = { readonly fault: Fault; readonly status: number; readonly message: string };

const entry = (fault: Fault, status: number, message: string): Entry => ({ fault, status, message });

export const ERRORS = {
  // HTTP requests to the gateway.
  body_invalid: entry('agent', 400, 'The request body is not valid JSON. Send one JSON-RPC message.'),
  message_invalid: entry(
    'agent',
    400,
    'The body is not a JSON-RPC 2.0 message. Send one object with "jsonrpc": "2.0", "method" and "id".',
  ),
  request_malformed: entry('agent', 400, 'This is not a valid HTTP request. Send POST /mcp with a Host header.'),
  request_timeout: entry('agent', 408, 'The request took too long to arrive. Send it again, in one go.'),
  headers_too_large: entry('agent', 431, 'The headers of the request are too large. Send fewer, or shorter ones.'),
  approvals_invalid: entry('agent', 400, 'The header X-Approvals must be off, ends or writes.'),
  batch_refused: entry('agent', 400, 'JSON-RPC batches are not accepted. Send one message per request.'),
  params_invalid: entry('agent', 400, 'The parameters of the message are not valid.'),
  key_missing: entry('agent', 401, 'Send your API key as "Authorization: Bearer <key>".'),
  key_malformed: entry('agent', 401, 'That is not an API key.'),
  scope_missing: entry('agent', 403, 'This connection was not granted what the call needs.'),
  token_invalid: entry('agent', 401, 'The token is not valid here, or not any more. Connect again.'),
  host_refused: entry('agent', 403, 'This Host is not allowed. The operator lists names in ALLOWED_HOSTS.'),
  origin_refused: entry('agent', 403, 'This Origin is not allowed. The operator lists origins in ALLOWED_ORIGINS.'),
  not_found: entry('agent', 404, 'Nothing here. The MCP endpoint is POST /mcp.'),
  method_not_allowed: entry('agent', 405, 'Use POST: this server is stateless and keeps no streams or sessions.'),
  not_acceptable: entry('agent', 406, 'Accept must list application/json or text/event-stream.'),
  body_too_large: entry(
    'agent',
    413,
    "The request body is too large. Put data into a sandbox's file: files.write in pieces, or an upload URL.",
  ),
  too_complex: entry(
    'agent',
    413,
    'The JSON has too many values, keys or levels. Send less at once, or put the data into a sandbox file.',
  ),
  media_type_unsupported: entry('agent', 415, 'Send the body as Content-Type: application/json, in UTF-8.'),
  rate_limited: entry('agent', 429, 'Too many requests. Wait, then try again.'),
  draining: entry('gateway', 503, 'This replica is shutting down. Send the request again.'),
  internal: entry(
    'gateway',
    500,
    'The gateway failed. Your code is not at fault; try again, or report the request id.',
  ),

  // OAuth sign-in. Clients and people read these sentences, not models.
  oauth_request_invalid: entry('agent', 400, 'The request is not a valid OAuth request.'),
  oauth_client_unknown: entry(
    'agent',
    400,
    'This gateway does not know the app. Remove it from the app and connect again.',
  ),
  oauth_client_unreachable: entry(
    'upstream',
    503,
    "The app's description could not be loaded. Try again in a minute; the app's maker publishes it.",
  ),
  oauth_callback_refused: entry(
    'agent',
    400,
    'The redirect address of the app is not allowed. The operator can add it in OAUTH_REDIRECTS.',
  ),
  oauth_form_foreign: entry(
    'agent',
    403,
    'This form was not sent from the page of this gateway. Connect again from your app.',
  ),
  oauth_page_expired: entry(
    'agent',
    400,
    'This page is too old or was changed. Go back to your app and connect again.',
  ),
  oauth_redirect_invalid: entry(
    'agent',
    400,
    'None of the redirect_uris can be used: send loopback URLs, or https URLs that the operator lists in OAUTH_REDIRECTS.',
  ),
  oauth_metadata_invalid: entry(
    'agent',
    400,
    'The registration is not valid. Send the client metadata of RFC 7591 as JSON.',
  ),
  oauth_client_invalid: entry(
    'agent',
    401,
    'This gateway does not know the client, or its secret is wrong. Register again.',
  ),
  oauth_grant_invalid: entry('agent', 400, 'The code or token is not valid, or not any more. Connect again.'),
  oauth_grant_type_unsupported: entry('agent', 400, 'grant_type must be authorization_code or refresh_token.'),
  oauth_target_invalid: entry('agent', 400, 'resource must be the URL of this MCP server.'),
  oauth_unavailable: entry(
    'upstream',
    503,
    'The API did not answer, so the key could not be checked. Try again in a moment.',
  ),
  oauth_revocation_unsupported: entry(
    'agent',
    400,
    'This gateway keeps no list of tokens. Revoke the API key itself to end access.',
  ),

  // The description of the API: the file in the package, or a published one that is loaded while running.
  spec_invalid: entry('gateway', 500, 'The description of the API cannot be used.'),

  // Refusals of the agent's code before it runs.
  code_invalid: entry('agent', 400, 'Send `code`: a string with one async function, e.g. async () => { return 1 }.'),
  code_too_large: entry('agent', 413, 'The code is too long. Send less, or put the data into a sandbox file.'),
  code_syntax: entry('agent', 400, 'The code does not parse.'),

  // The run.
  busy: entry('gateway', 503, 'All workers are busy. Wait a few seconds, then send the same call again.'),
  cancelled: entry('agent', 499, 'The caller went away, so the run was stopped.'),
  time_exceeded: entry(
    'agent',
    408,
    'The run passed its time limit. Do less in one call, or start work in the background.',
  ),
  cpu_exceeded: entry(
    'agent',
    408,
    'The code used up its CPU time. Look for an endless loop, or do the heavy work in a sandbox.',
  ),
  memory_exceeded: entry(
    'agent',
    413,
    'The code ran out of memory. Keep less at once, or do the heavy work in a sandbox.',
  ),
  never_settles: entry('agent', 400, 'The function waits for a promise that nothing can settle any more.'),
  result_too_large: entry('agent', 413, 'The result is too large. Return only the fields you need.'),
  engine_lost: entry(
    'gateway',
    500,
    'The sandbox that ran the code was lost. Calls it had sent may have taken effect; check before sending again.',
  ),

  // Failures to start the sandbox in which the microVM engine would run the code. Nothing has run.
  engine_key_refused: entry(
    'agent',
    401,
    'No sandbox could be started for the code: the API key that pays for it was refused. Nothing ran. Check the key.',
  ),
  engine_full: entry(
    'upstream',
    503,
    'No sandbox could be started for the code: the account has reached its number of concurrent sandboxes. Nothing ran. Kill sandboxes that are not needed, or wait, then send the same call again.',
  ),
  engine_rate_limited: entry(
    'upstream',
    503,
    'No sandbox could be started for the code: the account starts sandboxes faster than its rate limit. Nothing ran. Wait a few seconds, then send the same call again.',
  ),
  engine_start_timeout: entry(
    'upstream',
    504,
    'The sandbox for the code did not start in time. Nothing ran. Send the same call again.',
  ),
  engine_unavailable: entry(
    'upstream',
    502,
    'No sandbox could be started for the code: the sandbox service failed or was not reached. Nothing ran. Send the same call again in a minute.',
  ),
  engine_template_invalid: entry(
    'gateway',
    500,
    'The template that runs the code cannot be used: it must exist and have Node 18 or newer. Nothing ran. The operator sets the template.',
  ),

  // The broker and the guard: thrown into the agent's code as errors it can catch.
  path_invalid: entry(
    'agent',
    400,
    'The path is not valid. It must start with one "/" and contain no control characters or backslashes.',
  ),
  path_refused: entry('agent', 403, 'This path is never reachable through the gateway.'),
  path_unlisted: entry('agent', 404, 'No operation of the API has this path and method.'),
  method_refused: entry('agent', 405, 'execute_read only reads. Use execute_write for calls that change something.'),
  request_invalid: entry('agent', 400, 'The request does not match the description of the operation.'),
  capability_unknown: entry('agent', 404, 'The gateway has no such capability.'),
  budget_exceeded: entry('agent', 429, 'The run has used up its budget.'),
  approval_refused: entry('agent', 403, 'The person who was asked refused. The call was not sent.'),
  approval_too_large: entry(
    'agent',
    413,
    'The run has read too much to be interrupted for the approval that it needs; what needed it was not sent. Read first and return what you need; then do what needs approval in a second call, with as little reading as possible.',
  ),
  approval_state_invalid: entry(
    'agent',
    400,
    'The approval does not belong to this call: not to this code, this tool or this key, or it was changed on the way. Nothing ran again. Send the call anew, without the state.',
  ),
  approval_expired: entry(
    'agent',
    410,
    'The question was asked too long ago, so the answer does not count any more. What had run before it has taken effect. Send the call anew, without the state, to be asked again.',
  ),
  approval_used: entry(
    'agent',
    409,
    'This answer has been used already: the run has continued with it. Look at what is there now before sending the call again.',
  ),
  approval_unchecked: entry(
    'gateway',
    503,
    'It could not be checked whether this answer has been used before, so nothing ran. Send the same again in a moment.',
  ),
  replay_diverged: entry(
    'agent',
    409,
    'After the approval the code ran again from its start and made other calls than before, so nothing was sent. Send the call again, and let nothing in it depend on memory or garbage collection.',
  ),
  approval_unavailable: entry(
    'agent',
    403,
    'This operation needs the approval of a person, and this client cannot ask for it, so it was not sent. It can be allowed from a client that supports elicitation of MCP 2026-07-28, or by the operator (APPROVALS, APPROVALS_FALLBACK). Go on without it, and tell the person.',
  ),
  upstream_unreachable: entry('upstream', 502, 'The API could not be reached.'),
  upstream_timeout: entry('upstream', 504, 'The API did not answer in time.'),
  upstream_failed: entry('upstream', 502, 'The API refused or failed the call.'),
  sandbox_failed: entry('upstream', 502, 'The sandbox refused or failed the call.'),
  sandbox_not_running: entry(
    'agent',
    409,
    'The sandbox does not run. Sandbox.connect(sandboxId) in execute_write resumes a paused one.',
  ),
  sandbox_limit: entry(
    'agent',
    429,
    'Too many sandboxes run for this key. Kill those no longer needed, then try again.',
  ),
  answer_too_large: entry(
    'agent',
    413,
    'The answer is too large. Ask for less: use limit, filters or a narrower path.',
  ),
} as const satisfies Record<string, Entry>;

export type ErrorCode = keyof typeof ERRORS;

/**
 * The only error that the gateway throws on purpose. `message` is safe to show: it never contains a key, a stack or the
 * query of a URL. `cause` is for the log only.
 */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly code: ErrorCode;
  /** Milliseconds after which a retry makes sense, if known. */
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, detail?: string, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(
      detail === undefined ? ERRORS[code].message : detail,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
  }

  get fault(): Fault {
    return ERRORS[this.code].fault;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }
}

/** Converts anything caught to a GatewayError: other errors become `internal` with the original as cause. */
export function toGatewayError(caught: unknown): GatewayError {
  return caught instanceof GatewayError ? caught : new GatewayError('internal', undefined, { cause: caught });
}
