// The methods that use a sandbox's public hosts: requests to a server in the sandbox, and signed links to its files.
import { z } from 'zod';
import { addressOf, DAEMON_PORT } from '../../e2b/handle.ts';
import { isRedirect, type Wire } from '../../e2b/wire.ts';
import { GatewayError } from '../../errors.ts';
import { jsonOf, wholeText } from '../../ground/json-text.ts';
import { omitUndefined } from '../../ground/omit-undefined.ts';
import { readPieces } from '../../ground/read-capped.ts';
import { callMs, onInstance, options, path, user } from './arguments.ts';
import { bytesOf, data } from './commands.ts';
import { MaskedJson, method } from './method.ts';
import { maskTokens, type Tokens, tokensOf } from './tokens.ts';

/** Maximum size of a response body: as base64 it still fits into the response of a call. */
const MAX_BODY_BYTES = 5_000_000;
/** The wire refuses a larger body before this does. */
const BODY_LIMIT = { maxBytes: MAX_BODY_BYTES, tooLarge: () => new GatewayError('answer_too_large') };
const MAX_REDIRECTS = 5;
const MAX_HEADER_CHARS = 16_000;

/** Headers that a guest may not set, because they decide where a request goes and how it is framed. */
const REFUSED_HEADERS =
  /^(?:host|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|content-length|upgrade|expect|e2b-.*|x-access-token)$/i;

const target = z
  .string()
  .max(8_000)
  .regex(/^\/[^\s\\\p{Cc}]*$/u, 'starts with "/" and contains no spaces, backslashes or control characters');
const headers = z.record(
  z
    .string()
    .regex(/^[\w!#$%&'*+.^`|~-]{1,100}$/, 'is not a header name')
    .refine(name => !REFUSED_HEADERS.test(name), 'is set by the gateway'),
  z.string().regex(/^[\t\x20-\x7e\x80-\xff]{0,8000}$/, 'is not a header value'),
);
const port = z
  .number('is a port number')
  .int()
  .min(1)
  .max(65_535)
  .refine(value => value !== DAEMON_PORT, `${DAEMON_PORT} is the sandbox's own: use sbx.files and sbx.commands`);

const fetchPort = method('Sandbox.fetch', {
  // Not allowed in execute_read: any request may change something in the sandbox, or resume it.
  mode: 'write',
  args: onInstance({
    port,
    path: target,
    opts: options({
      method: z
        .string()
        .transform(name => name.toUpperCase())
        .pipe(z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']))
        .default('GET'),
      headers: headers.optional(),
      body: data.optional(),
      redirect: z
        .enum(['follow', 'manual'], 'is "follow" or "manual", which answers with the redirect')
        .default('follow'),
      timeoutMs: callMs.optional(),
    }),
  }),
  async run({ sandboxId, port, path, opts }, call) {
    const { session, context } = call;
    const body = opts.body === undefined ? undefined : bytesOf(opts.body);
    context.checkRequest(body?.byteLength ?? 0);
    return call.onSandbox(sandboxId, async ({ access: known, sdk }) => {
      const access = await session.reaching(known, context);
      const at = addressOf(access, port, session.options.connection);
      const waitMs = Math.min(opts.timeoutMs ?? Number.POSITIVE_INFINITY, session.leftMs(), sdk.requestTimeoutMs);
      const deadline = AbortSignal.timeout(waitMs);
      const wire = session.options.wires.open({
        origin: new URL(at.baseUrl).origin,
        principalId: context.principal.id,
        signal: AbortSignal.any([sdk.signal, deadline]),
        maxAnswerBytes: MAX_BODY_BYTES,
      });
      const init = {
        method: opts.method,
        headers: { ...opts.headers, ...at.headers },
        ...(body !== undefined && { body: new Uint8Array(body) }),
      };
      try {
        const tokens = tokensOf(access);
        const { bytes, ...head } = await ask(wire, at.baseUrl, path, init, opts.redirect === 'follow', tokens);
        context.call.ended({ httpStatus: head.status });
        const masked = wholeText(await context.maskedJson(JSON.stringify(head), 'json'));
        const base64 = await context.maskedJson(bytes, 'base64', tokens);
        return new MaskedJson(jsonOf([`${masked.slice(0, -1)},"base64":`, base64, '}']));
      } catch (caught) {
        if (!deadline.aborted) throw wire.fault ?? caught;
        const message = `port ${port} did not answer within ${waitMs} ms`;
        throw new GatewayError('sandbox_failed', `TimeoutError: ${message}`, { cause: caught });
      }
    });
  },
});

type Init = {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: Uint8Array<ArrayBuffer>;
};

async function ask(wire: Wire, baseUrl: string, path: string, init: Init, follow: boolean, tokens: Tokens) {
  let at = path;
  for (let hop = 0; ; hop++) {
    const response = await wire.fetch(`${baseUrl}${at}`, init);
    const next =
      follow && hop < MAX_REDIRECTS && isRedirect(response) ? samePlace(response.headers, at, init) : undefined;
    if (next === undefined) {
      return {
        status: response.status,
        statusText: maskTokens(response.statusText, tokens).slice(0, 200),
        headers: shown(response.headers, tokens),
        bytes: await readPieces(response.body ?? [], BODY_LIMIT),
      };
    }
    await response.body?.cancel();
    at = next;
  }
}

/** The path to follow, if a redirect stays on the same server and needs no body. The agent gets any other redirect. */
function samePlace(headers: { get(name: string): string | null }, from: string, { method }: Init): string | undefined {
  const location = headers.get('location');
  if (location === null || (method !== 'GET' && method !== 'HEAD')) return undefined;
  const here = 'http://sandbox.invalid';
  try {
    const url = new URL(location, here + from);
    return url.origin === here ? url.pathname + url.search : undefined;
  } catch {
    return undefined;
  }
}

function shown(headers: Iterable<[string, string]>, tokens: Tokens): Record<string, string> {
  const out: Record<string, string> = {};
  let chars = 0;
  for (const [name, value] of headers) {
    chars += name.length + value.length;
    if (chars > MAX_HEADER_CHARS) break;
    if (!/^e2b-/i.test(name)) out[name.toLowerCase()] = maskTokens(value, tokens);
  }
  return out;
}

// --- Links ---------------------------------------------------------------------------------------------------------

const linkOptions = options({
  user: user.optional(),
  /** Seconds, as in the SDK. */
  useSignatureExpiration: z.number().int().min(1).max(31_536_000).optional(),
});

/** Made on the host: the signature proves knowledge of the token without revealing it, and is valid for one path. */
const downloadUrl = method('Sandbox.downloadUrl', {
  mode: 'read',
  args: onInstance({ path, opts: linkOptions }),
  run: ({ sandboxId, path, opts }, call) =>
    call.onSandbox(sandboxId, ({ sandbox }) => sandbox.downloadUrl(path, given(opts))),
});

const uploadUrl = method('Sandbox.uploadUrl', {
  mode: 'write',
  args: onInstance({ path: path.optional(), opts: linkOptions }),
  run: ({ sandboxId, path, opts }, call) =>
    call.onSandbox(sandboxId, ({ sandbox }) => sandbox.uploadUrl(path, given(opts))),
});

const given = ({ user, useSignatureExpiration }: z.output<typeof linkOptions>) => ({
  ...omitUndefined({ user, useSignatureExpiration }),
});

export const PORTS = {
  'Sandbox.fetch': fetchPort,
  'Sandbox.downloadUrl': downloadUrl,
  'Sandbox.uploadUrl': uploadUrl,
};
