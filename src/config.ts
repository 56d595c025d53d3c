// Parses the environment into a frozen value. Lists every variable with its default and one sentence, from which
// docs/configuration.md is generated. Pure: main.ts passes the environment in, and nothing else reads it.

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

/** An empty `fallback` means that the variable has no default; its sentence says what happens when it is not set. */
export const VARIABLES = {
  PORT: variable('Port to listen on; 0 takes a free one.', '3000', integer(0, 65_535)),
  HOST: variable('Address to bind. Anything but loopback needs ALLOWED_HOSTS.', '127.0.0.1', z.string().min(1)),
  ALLOWED_HOSTS: variable(
    'Host names clients may use, comma separated. Unset: loopback names, and only on a loopback bind.',
    '',
    list,
  ),
  ALLOWED_ORIGINS: variable(
    "Browser origins (host names) that may call, comma separated. Unset: loopback names. With PAGE, the gateway's own host names are allowed as well.",
    '',
    list,
  ),

  PUBLIC_URL: variable(
    'Base URL at which clients reach the gateway behind a proxy. Its host name is added to ALLOWED_HOSTS.',
    '',
    httpUrl,
  ),
  TRUST_PROXY: variable(
    'Proxies in front of the gateway whose X-Forwarded-For is trusted: their number, or their addresses, comma separated.',
    '0',
    z.union([
      integer(0, 16),
      list.refine(
        items => items.every(isProxy),
        'must say how many proxies there are (0 to 16), or their addresses, e.g. 10.0.0.0/8 or loopback',
      ),
    ]),
  ),

  OAUTH_KEYS: variable(
    'Turns on sign-in by OAuth (needs PUBLIC_URL): keys as <kid>:<32 random bytes in base64>, comma separated. The first encrypts new tokens; every key decrypts.',
    '',
    keyRing,
  ),
  OAUTH_RAW_KEYS: variable('Accept E2B API keys as bearer tokens beside the tokens that sign-in issues.', 'true', flag),
  OAUTH_REDIRECTS: variable(
    'Callback URLs that apps may register besides loopback and the well-known ones, comma separated; * for any https URL.',
    '',
    callbacks,
  ),
  OAUTH_CIMD: variable(
    'Which apps may use the URL of a metadata document as client id: any (the document is fetched from public addresses), pinned (well-known apps; nothing is fetched) or off.',
    'any',
    z.enum(['any', 'pinned', 'off']),
  ),
  OAUTH_NOT_BEFORE: variable(
    'Tokens issued before this time are refused: seconds since 1970, or a date. Whoever connected earlier must connect again.',
    '',
    instant,
  ),
  OAUTH_PAGES_PER_MINUTE: variable(
    'Sign-in pages and app registrations per minute from one address; 0: no limit.',
    '60',
    integer(0, 1_000_000),
  ),
  OAUTH_KEYS_PER_MINUTE: variable(
    'API keys per minute that one address may try on the sign-in page; 0: no limit.',
    '10',
    integer(0, 1_000_000),
  ),
  OAUTH_TOKENS_PER_MINUTE: variable(
    'Token requests per minute from one address (hosted clients share few addresses); 0: no limit.',
    '300',
    integer(0, 1_000_000),
  ),

  E2B_DOMAIN: variable("E2B's domain; sandboxes are its subdomains.", 'e2b.app', z.string().regex(/^[\w.:-]+$/)),
  E2B_API_URL: variable('Base URL of the E2B API. Unset: https://api.<E2B_DOMAIN>.', '', serviceUrl),
  E2B_SANDBOX_URL: variable(
    'Base URL for all traffic to sandboxes (self-hosting, local mode). Unset: derived from E2B_DOMAIN.',
    '',
    serviceUrl,
  ),
  E2B_API_KEY: variable(
    'For --stdio only: the API key of its one caller. Over HTTP each caller sends their own.',
    '',
    z.string().min(1),
  ),
  E2B_ALLOW_UNLISTED: variable(
    'Allow paths that the API description does not list; the other rules still apply.',
    'false',
    flag,
  ),

  E2B_SPEC_URL: variable(
    "File or URL of E2B's published API description, from which the running gateway learns new operations. Unset: only the description in the package is used.",
    '',
    z.string().min(1),
  ),
  SPEC_REFRESH_MS: variable('How often E2B_SPEC_URL is read again.', '3600000', integer(1_000, 2_000_000_000)),
  SPEC_MAX_BYTES: variable('Maximum size of the published description.', '10000000', integer(1_000, 100_000_000)),

  RUN_TIMEOUT_MS: variable('Wall time limit of one run, waits included.', '60000', integer(100, 3_600_000)),
  GUEST_CPU_MS: variable("CPU time limit of the agent's code in one run.", '5000', integer(10, 600_000)),
  GUEST_MEMORY_MB: variable("Memory limit of the agent's code.", '64', integer(8, 1024)),
  MAX_CODE_CHARS: variable('Maximum length of `code`.', '262144', integer(1_000, 10_000_000)),
  MAX_CALLS: variable('Maximum calls to E2B in one run.', '200', integer(1, 100_000)),
  MAX_PARALLEL_CALLS: variable('Calls of one run that run at the same time; further ones wait.', '8', integer(1, 256)),
  MAX_CALL_BYTES: variable('Maximum size of the request body of one call.', '1000000', integer(1_000, 100_000_000)),
  MAX_CALL_VALUES: variable('Maximum values, or keys, in the arguments of a call.', '20000', integer(100, 1_000_000)),
  MAX_ANSWER_BYTES: variable('Maximum size of the response to one call.', '8000000', integer(1_000, 100_000_000)),
  MAX_RUN_ANSWER_BYTES: variable(
    'The same for all calls of a run together.',
    '32000000',
    integer(1_000, 1_000_000_000),
  ),
  MAX_RESULT_CHARS: variable(
    "Maximum length of the function's return value as JSON; longer values are shortened in the sandbox. The response to the model is limited separately (RESPONSE_RESULT_CHARS).",
    '4000000',
    integer(1_000, 10_000_000),
  ),
  MAX_LOG_CHARS: variable('Maximum length of stdout and of stderr of a run.', '20000', integer(100, 1_000_000)),
  RESPONSE_RESULT_CHARS: variable(
    'Maximum length of the result in the response to the model; longer ones are truncated.',
    '30000',
    integer(1_000, 10_000_000),
  ),
  RESPONSE_LOG_CHARS: variable('The same for stdout and for stderr.', '10000', integer(100, 1_000_000)),
  MAX_SANDBOXES_PER_KEY: variable(
    "Sandboxes that one key may have running; the gateway counts E2B's list before each creation. 0: only E2B's own limit applies.",
    '0',
    integer(0, 100_000),
  ),
  MAX_DISPLAY_BYTES: variable('Maximum size of all display() blocks of a run.', '4000000', integer(1_000, 100_000_000)),
  MAX_HTTP_BODY_BYTES: variable('Maximum size of an HTTP request body.', '1000000', integer(1_000, 100_000_000)),
  MEMORY_MB: variable(
    'Memory for the data of all callers: request bodies, arguments, responses, results. When it is used up, new requests are refused.',
    '160',
    integer(8, 100_000),
  ),
  MEMORY_PER_KEY_MB: variable('The same limit for the callers of one key.', '64', integer(4, 100_000)),

  APPROVALS: variable(
    'Which calls of execute_write a person must approve before they are sent: off (none), ends (those that end or delete something) or writes (all that change something). The header X-Approvals of a request can only make it stricter.',
    'off',
    z.enum(POLICIES),
  ),
  APPROVALS_FALLBACK: variable(
    'What happens to such a call when the client cannot ask a person: refuse or pass.',
    'refuse',
    z.enum(['refuse', 'pass']),
  ),
  APPROVAL_KEYS: variable(
    'Keys that encrypt runs which wait for a person: <kid>:<32 random bytes in base64>, comma separated, the same on all replicas. Unset: OAUTH_KEYS, or a random key that only this process has.',
    '',
    keyRing,
  ),
  APPROVAL_STATE_BYTES: variable(
    'Maximum size of the encrypted run that a client keeps while a person is asked. Keep it well below MAX_HTTP_BODY_BYTES.',
    '524288',
    integer(1_000, 50_000_000),
  ),

  SANDBOX_ENGINE: variable(
    "What runs the agent's code: quickjs (embedded) or e2b (each call in an E2B sandbox of its own).",
    'quickjs',
    z.enum(['quickjs', 'e2b']),
  ),
  SEARCH_ENGINE: variable(
    'The same for search, which calls no API; with quickjs it needs no sandbox.',
    'quickjs',
    z.enum(['quickjs', 'e2b']),
  ),
  E2B_TEMPLATE: variable('Template of the e2b engine; it needs Node 18 or newer.', 'base', z.string().min(1)),
  E2B_RUNNER_API_KEY: variable(
    "E2B API key that pays for the e2b engine's sandboxes. Unset: the caller's own.",
    '',
    z.string().min(1),
  ),
  E2B_MAX_RUNNERS: variable('Sandboxes of the e2b engine at the same time; more runs wait.', '100', integer(1, 10_000)),
  WORKERS: variable('Worker threads of the embedded engine. Unset: one per core, 2 to 8.', '', integer(1, 64)),
  THREAD_NICE: variable(
    'Nice value (Linux, 0 to 19) of the threads that compute for callers, so that the main thread runs first. A worker gets half of it until code has computed for long in it. Leave it at 0 where other programs share the processors: the threads would wait for those as well.',
    '0',
    integer(0, 19),
  ),
  WARM_UP: variable(
    'Load in the background after the start what the first calls need (about a second), so that they are as fast as later ones.',
    'true',
    flag,
  ),
  MAX_QUEUED_RUNS: variable('Runs that may wait for a worker; more are refused as busy.', '256', integer(0, 100_000)),
  RATE_LIMIT_PER_KEY: variable('Requests per minute of one key; 0: no limit.', '1200', integer(0, 10_000_000)),
  RATE_LIMIT_GLOBAL: variable('Requests per minute of all keys together; 0: no limit.', '0', integer(0, 100_000_000)),
  MAX_PARALLEL_PER_KEY: variable('Concurrent requests of one key; 0: no limit.', '100', integer(0, 100_000)),
  REDIS_URL: variable(
    'Redis in which all replicas count requests together. Unset: each replica counts its own. While Redis is down, requests are not limited.',
    '',
    z.url({ protocol: /^rediss?$/, error: 'must be a redis or rediss URL' }),
  ),

  DRAIN_DELAY_MS: variable(
    'After SIGTERM: how long requests are still accepted while /readyz returns 503, so that proxies stop sending first.',
    '3000',
    integer(0, 600_000),
  ),
  DRAIN_TIMEOUT_MS: variable(
    'How long a shutdown waits for open requests. Keep it above RUN_TIMEOUT_MS.',
    '65000',
    integer(0, 3_600_000),
  ),

  METRICS: variable('Serve GET /metrics for Prometheus. Unset: only on a loopback bind.', '', flag),
  LOCAL_PORT: variable(
    'Port of local mode. Unset: a free one with --local, 3001 with --local-only.',
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
  /** E2B_API_URL, or the URL derived from E2B_DOMAIN. */
  readonly apiUrl: string;
  /** Set in local mode only: a key that anyone may use, and that the page fills in. */
  readonly demoKey?: string;
};

/** Lists every wrong variable by name, so that an operator can fix all of them at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Variables whose value may be a secret: it is not shown, not even when it is wrong. */
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
  if (faults.length > 0) throw new ConfigError(`The environment variables are not valid:\n  ${faults.join('\n  ')}`);
  const parsed = values as Values;
  return Object.freeze({ ...parsed, apiUrl: parsed.E2B_API_URL ?? `https://api.${parsed.E2B_DOMAIN}` });
}

/** With only half of its settings sign-in would be off, and nobody would notice until the first person tries it. */
function signInFaults({ OAUTH_KEYS, OAUTH_RAW_KEYS, OAUTH_REDIRECTS, OAUTH_NOT_BEFORE, PUBLIC_URL }: Partial<Values>) {
  if (OAUTH_KEYS === undefined)
    return [
      ...(OAUTH_RAW_KEYS === false ? ['OAUTH_RAW_KEYS=false needs OAUTH_KEYS: nobody could call.'] : []),
      ...(OAUTH_REDIRECTS === undefined ? [] : ['OAUTH_REDIRECTS needs OAUTH_KEYS.']),
      ...(OAUTH_NOT_BEFORE === undefined ? [] : ['OAUTH_NOT_BEFORE needs OAUTH_KEYS.']),
    ];
  if (PUBLIC_URL === undefined) return ['OAUTH_KEYS needs PUBLIC_URL: the address at which clients reach the gateway.'];
  const { protocol, pathname, search, hash } = new URL(PUBLIC_URL);
  if (pathname !== '/' || search + hash !== '')
    return ['PUBLIC_URL must have no path with OAUTH_KEYS: clients look for the metadata documents at the root.'];
  if (protocol !== 'https:' && !isLoopbackUrl(PUBLIC_URL))
    return ['PUBLIC_URL must be https with OAUTH_KEYS (http only on a loopback address): people paste keys there.'];
  return [];
}

/** The limits that a tool's description mentions. */
export const toolLimitsOf = ({ RUN_TIMEOUT_MS, GUEST_CPU_MS, RESPONSE_RESULT_CHARS }: Config) => ({
  wallMs: RUN_TIMEOUT_MS,
  cpuMs: GUEST_CPU_MS,
  resultChars: RESPONSE_RESULT_CHARS,
});
