// The environment as a frozen value: every variable once, with its default and one sentence (docs/configuration.md is
// tested against this record). Pure: main.ts hands the environment in; nothing else reads it.

import { z } from 'zod';
import { POLICIES } from './ground/approval-policy.ts';
import { isLoopbackUrl } from './ground/loopback.ts';
import { callbacks, flag, httpUrl, instant, integer, isProxy, keyRing, list, serviceUrl } from './setting-forms.ts';

type Variable = { readonly about: string; readonly fallback: string; readonly schema: z.ZodType };
const variable = <const F extends string, S extends z.ZodType>(about: string, fallback: F, schema: S) => ({
  about,
  fallback,
  schema,
});

/** An empty `fallback` means "not set"; the sentence says what happens then. */
export const VARIABLES = {
  PORT: variable('Port to listen on; 0 takes a free one.', '3000', integer(0, 65_535)),
  HOST: variable('Address to bind. Anything but loopback needs ALLOWED_HOSTS.', '127.0.0.1', z.string().min(1)),
  ALLOWED_HOSTS: variable(
    'Host names clients may use, comma separated. Unset: loopback names, and only on a loopback bind.',
    '',
    list,
  ),
  ALLOWED_ORIGINS: variable(
    "Browser origins (host names) that may call, comma separated. Unset: loopback names. With PAGE, the gateway's own host names too.",
    '',
    list,
  ),

  PUBLIC_URL: variable(
    'Base URL under which clients reach the gateway behind a proxy. Its host name is allowed too.',
    '',
    httpUrl,
  ),
  TRUST_PROXY: variable(
    'Proxies in front whose X-Forwarded-For is believed: how many, or their addresses, comma separated.',
    '0',
    z.union([
      integer(0, 16),
      list.refine(
        items => items.every(isProxy),
        'must be how many proxies there are (0 to 16), or their addresses, as 10.0.0.0/8 or loopback',
      ),
    ]),
  ),

  OAUTH_KEYS: variable(
    'Turns sign-in by OAuth on (with PUBLIC_URL): <kid>:<32 random bytes in base64>, comma separated. The first seals, all open.',
    '',
    keyRing,
  ),
  OAUTH_RAW_KEYS: variable('Accept E2B API keys as bearer token beside tokens of our own.', 'true', flag),
  OAUTH_REDIRECTS: variable(
    'Callback URLs that apps may register besides loopback and the well-known ones, comma separated; * for any https URL.',
    '',
    callbacks,
  ),
  OAUTH_CIMD: variable(
    'Apps named by the URL of a document: any (fetched from public addresses), pinned (well-known ones, nothing is fetched) or off.',
    'any',
    z.enum(['any', 'pinned', 'off']),
  ),
  OAUTH_NOT_BEFORE: variable(
    'Ends everything that was granted before: seconds since 1970, or a date. Those who connected earlier must connect again.',
    '',
    instant,
  ),
  OAUTH_PAGES_PER_MINUTE: variable(
    'Sign-in pages, and registrations, a minute from one address; 0: no limit.',
    '60',
    integer(0, 1_000_000),
  ),
  OAUTH_KEYS_PER_MINUTE: variable(
    'API keys a minute that one address may try on the page; 0: no limit.',
    '10',
    integer(0, 1_000_000),
  ),
  OAUTH_TOKENS_PER_MINUTE: variable(
    'Token requests a minute from one address; hosted clients share few. 0: no limit.',
    '300',
    integer(0, 1_000_000),
  ),

  E2B_DOMAIN: variable('E2B domain; sandboxes are reached below it.', 'e2b.app', z.string().regex(/^[\w.:-]+$/)),
  E2B_API_URL: variable('Base URL of the E2B API. Unset: https://api.<E2B_DOMAIN>.', '', serviceUrl),
  E2B_SANDBOX_URL: variable(
    'Base URL for all traffic to sandboxes (self-hosting, local mode). Unset: derived from E2B_DOMAIN.',
    '',
    serviceUrl,
  ),
  E2B_API_KEY: variable(
    'For --stdio only: the key of its one caller. Over HTTP each caller brings their own.',
    '',
    z.string().min(1),
  ),
  E2B_ALLOW_UNLISTED: variable(
    'Let paths pass that the description does not list; the other rules still hold.',
    'false',
    flag,
  ),

  E2B_SPEC_URL: variable(
    "File or URL of E2B's published API description, to learn of new operations while running. Unset: ours only.",
    '',
    z.string().min(1),
  ),
  SPEC_REFRESH_MS: variable('How often E2B_SPEC_URL is looked at again.', '3600000', integer(1_000, 2_000_000_000)),
  SPEC_MAX_BYTES: variable('Largest published description taken up.', '10000000', integer(1_000, 100_000_000)),

  RUN_TIMEOUT_MS: variable('Wall time of one run, waits included.', '60000', integer(100, 3_600_000)),
  GUEST_CPU_MS: variable("CPU time of the agent's code in one run.", '5000', integer(10, 600_000)),
  GUEST_MEMORY_MB: variable("Memory of the agent's code.", '64', integer(8, 1024)),
  MAX_CODE_CHARS: variable('Length of `code`.', '262144', integer(1_000, 10_000_000)),
  MAX_CALLS: variable('Calls to E2B in one run.', '200', integer(1, 100_000)),
  MAX_PARALLEL_CALLS: variable('Calls of one run that are under way at once; more wait.', '8', integer(1, 256)),
  MAX_CALL_BYTES: variable('Request body of one call.', '1000000', integer(1_000, 100_000_000)),
  MAX_CALL_VALUES: variable('Values, and keys, in the arguments of one call.', '20000', integer(100, 1_000_000)),
  MAX_ANSWER_BYTES: variable('Answer to one call.', '8000000', integer(1_000, 100_000_000)),
  MAX_RUN_ANSWER_BYTES: variable('Answers to all calls of a run.', '32000000', integer(1_000, 1_000_000_000)),
  MAX_RESULT_CHARS: variable(
    'What the function may return, as JSON, before it is cut for the answer; longer results are cut in the sandbox.',
    '4000000',
    integer(1_000, 10_000_000),
  ),
  MAX_LOG_CHARS: variable('stdout and stderr of a run, each.', '20000', integer(100, 1_000_000)),
  RESPONSE_RESULT_CHARS: variable(
    'Result in the answer to the model; longer ones are truncated.',
    '30000',
    integer(1_000, 10_000_000),
  ),
  RESPONSE_LOG_CHARS: variable('stdout and stderr in the answer to the model, each.', '10000', integer(100, 1_000_000)),
  MAX_SANDBOXES_PER_KEY: variable(
    "Sandboxes one key may have running, counted on E2B's list before each creation; 0: E2B's own limit alone.",
    '0',
    integer(0, 100_000),
  ),
  MAX_DISPLAY_BYTES: variable('All display() blocks of a run together.', '4000000', integer(1_000, 100_000_000)),
  MAX_HTTP_BODY_BYTES: variable('Body of an HTTP request to the gateway.', '1000000', integer(1_000, 100_000_000)),
  MEMORY_MB: variable(
    'What the gateway holds for all callers at once: bodies, arguments, answers, results. Over it, the newest is refused.',
    '160',
    integer(8, 100_000),
  ),
  MEMORY_PER_KEY_MB: variable('The same for one key.', '64', integer(4, 100_000)),

  APPROVALS: variable(
    'What execute_write asks a person about before it is sent: off, ends (what ends or deletes something) or writes (all that changes something). The header X-Approvals of a request can only make it stricter.',
    'off',
    z.enum(POLICIES),
  ),
  APPROVALS_FALLBACK: variable(
    'What becomes of such an operation when the client cannot ask a person: refuse or pass.',
    'refuse',
    z.enum(['refuse', 'pass']),
  ),
  APPROVAL_KEYS: variable(
    'Seals runs that wait for a person: <kid>:<32 random bytes in base64>, comma separated, the same on all replicas. Unset: OAUTH_KEYS, or a key of this process alone.',
    '',
    keyRing,
  ),
  APPROVAL_STATE_BYTES: variable(
    'Largest sealed run that a client carries while a person is asked. Keep it well below MAX_HTTP_BODY_BYTES.',
    '524288',
    integer(1_000, 50_000_000),
  ),

  SANDBOX_ENGINE: variable(
    "What runs the agent's code: quickjs (embedded) or e2b (each call in an E2B sandbox of its own).",
    'quickjs',
    z.enum(['quickjs', 'e2b']),
  ),
  SEARCH_ENGINE: variable(
    'The same for search, which calls no API: quickjs answers without starting a sandbox.',
    'quickjs',
    z.enum(['quickjs', 'e2b']),
  ),
  E2B_TEMPLATE: variable('Template of the e2b engine; it needs Node 18 or newer.', 'base', z.string().min(1)),
  E2B_RUNNER_API_KEY: variable(
    "E2B API key that pays for the e2b engine's sandboxes. Unset: the caller's own.",
    '',
    z.string().min(1),
  ),
  E2B_MAX_RUNNERS: variable('Sandboxes the e2b engine has at once; more runs wait.', '100', integer(1, 10_000)),
  WORKERS: variable('Worker threads of the embedded engine. Unset: cores, 2 to 8.', '', integer(1, 64)),
  THREAD_NICE: variable(
    'How far the threads that compute for callers give way to the one that serves everybody (Linux, 0 to 19). 0 where other programs share the processors, or the threads wait for those as well.',
    '0',
    integer(0, 19),
  ),
  WARM_UP: variable(
    'Make the first calls as fast as the next: a second of background threads at the start.',
    'true',
    flag,
  ),
  MAX_QUEUED_RUNS: variable('Runs that may wait for a worker; more are refused as busy.', '256', integer(0, 100_000)),
  RATE_LIMIT_PER_KEY: variable('Requests a minute of one key; 0: no limit.', '1200', integer(0, 10_000_000)),
  RATE_LIMIT_GLOBAL: variable('Requests a minute of all keys together; 0: no limit.', '0', integer(0, 100_000_000)),
  MAX_PARALLEL_PER_KEY: variable('Requests of one key under way at once; 0: no limit.', '100', integer(0, 100_000)),
  REDIS_URL: variable(
    'Redis that counts requests for all replicas. Unset: each counts for itself. When it is down, requests pass.',
    '',
    z.url({ protocol: /^rediss?$/, error: 'must be a redis or rediss URL' }),
  ),

  DRAIN_DELAY_MS: variable(
    'After SIGTERM: how long requests are still taken while /readyz says 503, so that proxies turn away first.',
    '3000',
    integer(0, 600_000),
  ),
  DRAIN_TIMEOUT_MS: variable(
    'How long SIGTERM waits for runs under way. Keep it above RUN_TIMEOUT_MS.',
    '65000',
    integer(0, 3_600_000),
  ),

  METRICS: variable('Serve GET /metrics for Prometheus. Unset: only on a loopback bind.', '', flag),
  LOCAL_PORT: variable(
    'Port of local mode; --local takes a free one, --local-only 3001, when it is not set.',
    '',
    integer(0, 65_535),
  ),

  PAGE: variable('Serve the page for people at /.', 'true', flag),
  MCP_DEBUG_ENDPOINT: variable('Serve GET /debug/endpoints.', 'true', flag),
  LOG_LEVEL: variable(
    'fatal, error, warn, info, debug, trace or silent.',
    'info',
    z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
  ),
  LOG_FORMAT: variable('json, or pretty for people.', 'json', z.enum(['json', 'pretty'])),
} as const satisfies Record<string, Variable>;

type Values = { readonly [Name in keyof typeof VARIABLES]: z.output<(typeof VARIABLES)[Name]['schema']> };
/** Variables without a fallback may be undefined. */
type Optional = {
  [Name in keyof typeof VARIABLES]: (typeof VARIABLES)[Name]['fallback'] extends '' ? Name : never;
}[keyof typeof VARIABLES];
export type Config = Readonly<Omit<Values, Optional> & { [Name in Optional]: Values[Name] | undefined }> & {
  /** E2B_API_URL, or what follows from E2B_DOMAIN. */
  readonly apiUrl: string;
  /** In local mode only: a key for everybody, which the page fills in. */
  readonly demoKey?: string;
};

/** Every wrong variable at once, each with its name, so that an operator fixes them in one go. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** May hold a password: never shown, not even when wrong. */
const SECRET = new Set(['REDIS_URL', 'E2B_API_KEY', 'OAUTH_KEYS', 'APPROVAL_KEYS']);

export function parseConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const values: Record<string, unknown> = {};
  const faults: string[] = [];
  for (const [name, { schema, fallback }] of Object.entries<Variable>(VARIABLES)) {
    const given = environment[name]?.trim() || fallback;
    if (given === '') continue;
    const parsed = schema.safeParse(given);
    if (parsed.success) values[name] = parsed.data;
    else
      faults.push(
        `${name}="${SECRET.has(name) ? '[hidden]' : given}": ${parsed.error.issues[0]?.message ?? 'not valid'}`,
      );
  }
  faults.push(...signInFaults(values as Partial<Values>));
  if (faults.length > 0) throw new ConfigError(`The environment is not usable:\n  ${faults.join('\n  ')}`);
  const parsed = values as Values;
  return Object.freeze({ ...parsed, apiUrl: parsed.E2B_API_URL ?? `https://api.${parsed.E2B_DOMAIN}` });
}

/** Half set means off, which would show only when the first person tries to sign in. */
function signInFaults({ OAUTH_KEYS, OAUTH_RAW_KEYS, OAUTH_REDIRECTS, OAUTH_NOT_BEFORE, PUBLIC_URL }: Partial<Values>) {
  if (OAUTH_KEYS === undefined)
    return [
      ...(OAUTH_RAW_KEYS === false ? ['OAUTH_RAW_KEYS=false needs OAUTH_KEYS: nobody could call.'] : []),
      ...(OAUTH_REDIRECTS === undefined ? [] : ['OAUTH_REDIRECTS needs OAUTH_KEYS.']),
      ...(OAUTH_NOT_BEFORE === undefined ? [] : ['OAUTH_NOT_BEFORE needs OAUTH_KEYS.']),
    ];
  if (PUBLIC_URL === undefined)
    return ['OAUTH_KEYS needs PUBLIC_URL: the address under which clients reach the gateway.'];
  const { protocol, pathname, search, hash } = new URL(PUBLIC_URL);
  if (pathname !== '/' || search + hash !== '')
    return ['PUBLIC_URL must have no path with OAUTH_KEYS: clients look for its documents at the root.'];
  if (protocol !== 'https:' && !isLoopbackUrl(PUBLIC_URL))
    return ['PUBLIC_URL must be https with OAUTH_KEYS (http only on a loopback address): people paste keys there.'];
  return [];
}

/** The limits that a tool's text names. */
export const toolLimitsOf = ({ RUN_TIMEOUT_MS, GUEST_CPU_MS, RESPONSE_RESULT_CHARS }: Config) => ({
  wallMs: RUN_TIMEOUT_MS,
  cpuMs: GUEST_CPU_MS,
  resultChars: RESPONSE_RESULT_CHARS,
});
