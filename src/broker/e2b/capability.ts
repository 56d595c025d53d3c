// What every method of `Sandbox` has in common: arguments checked at the border, the read/write split before anything is
// sent, the ledger's line, errors as a guest may read them. Knows no single method.
import { z } from 'zod';
import type { SdkOptions } from '../../e2b/connection.ts';
import type { Access } from '../../e2b/handle.ts';
import type { Sandbox } from '../../e2b/sdk.ts';
import type { Wire } from '../../e2b/wire.ts';
import { GatewayError } from '../../errors.ts';
import type { Mode } from '../../spec/description.ts';
import { maskKey, maskSecrets } from '../../upstream/redact.ts';
import type { CallContext, Capability } from '../broker.ts';
import { SANDBOX_ID } from '../ledger.ts';
import { within } from './abort.ts';
import { noAnswer, toFailure } from './errors.ts';
import { refuseRunner } from './runners.ts';
import type { Session } from './session.ts';
import { tokensOf } from './tokens.ts';

/** A sandbox's side of one call. */
type OnSandbox = {
  readonly sandbox: Sandbox;
  readonly access: Access;
  readonly wire: Wire;
  readonly sdk: SdkOptions;
};

export type SandboxCall = {
  readonly session: Session;
  readonly context: CallContext;
  readonly sdk: SdkOptions;
  /** Asks E2B's API. */
  send<T>(ask: () => Promise<T>): Promise<T>;
  /** Attaches, then asks the sandbox itself. `maxAnswerBytes` bounds each answer of its daemon. */
  onSandbox<T>(sandboxId: string, ask: (on: OnSandbox) => Promise<T>, maxAnswerBytes?: number): Promise<T>;
};

/** What the SDK decodes at once: a list of files, the processes. */
const MAX_ANSWER_BYTES = 4_000_000;

type Definition<Args> = {
  readonly mode: Mode;
  readonly args: z.ZodType<Args>;
  /** True where E2B's own words come back: secrets in them are masked as in api.request. */
  readonly redact?: boolean;
  /** True where `run` answers JSON text already. */
  readonly composed?: boolean;
  readonly run: (args: Args, call: SandboxCall) => Promise<unknown>;
};

/** A method that waits for its session: one a run. */
export type SandboxMethod = (session: Session) => Capability;

export function method<Args>(id: string, definition: Definition<Args>): SandboxMethod {
  const write = definition.mode === 'write';
  return session => async (raw, context) => {
    const named = sandboxIdOf(raw);
    const described = session.options.acts.get(id) ?? { effect: 'changes' };
    if (named === undefined) context.call.name(id, write, described);
    else context.call.name(`${id} ${named}`, write, { ...described, id: named });
    if (write && context.mode === 'read') {
      throw new GatewayError(
        'method_refused',
        `${id} changes something, and execute_read only reads. Use execute_write.`,
      );
    }
    const args = parse(id, definition.args, raw);
    const { sandboxId, opts } = args as { sandboxId?: unknown; opts?: { requestTimeoutMs?: number } };
    if (typeof sandboxId === 'string') refuseRunner(sandboxId, session.options.isHidden);
    const value = await definition
      .run(args, callOf(session, context, opts?.requestTimeoutMs))
      .catch((caught: unknown) => {
        throw toFailure(caught, context.signal.aborted, { apiKey: context.principal.apiKey, tokens: [] }).error;
      });
    if (definition.composed === true) return String(value);
    const json = JSON.stringify((definition.redact === true ? maskSecrets(value) : value) ?? null);
    return maskKey(json, context.principal.apiKey);
  };
}

function callOf(session: Session, context: CallContext, requestTimeoutMs?: number): SandboxCall {
  const sdk = session.sdk(context, requestTimeoutMs);
  const secrets = (access?: Access) => ({
    apiKey: sdk.apiKey,
    tokens: access === undefined ? [] : tokensOf(access),
  });
  const asked = async <T>(ask: () => Promise<T>, access?: Access, wire?: () => Wire): Promise<T> => {
    context.call.sent();
    try {
      const value = await ask();
      context.call.answered('done');
      return value;
    } catch (caught) {
      const { error, status } = toFailure(wire?.().fault ?? caught, context.signal.aborted, secrets(access));
      if (status !== undefined) context.call.answered(status);
      throw wire !== undefined && error.code === 'internal' ? offProtocol(error) : error;
    }
  };
  return {
    session,
    context,
    sdk,
    send: ask => asked(() => session.api(context, ask, { timeoutMs: sdk.requestTimeoutMs })),
    async onSandbox(sandboxId, ask, maxAnswerBytes = Math.min(MAX_ANSWER_BYTES, context.limits.maxAnswerBytes)) {
      // What is learned is for the whole run, so it has the run's own time; only this call's wait for it is cut.
      const access = await within(session.attach(sandboxId, context), sdk.requestTimeoutMs).catch(caught => {
        throw toFailure(caught, context.signal.aborted, secrets()).error;
      });
      if (access === undefined) throw noAnswer(sdk.requestTimeoutMs);
      const { sandbox, wire } = session.handle(access, sdk, context, { maxAnswerBytes });
      return asked(
        () => ask({ sandbox, access, wire, sdk }),
        access,
        () => wire,
      );
    },
  };
}

/** What answers in a sandbox may be anything: that it cannot be understood is no fault of the gateway. */
const offProtocol = (error: GatewayError) =>
  new GatewayError('sandbox_failed', 'SandboxError: the sandbox answered with something that is not its protocol.', {
    cause: error.cause,
  });

function sandboxIdOf(raw: unknown): string | undefined {
  const { sandboxId } = (raw ?? {}) as { sandboxId?: unknown };
  return typeof sandboxId === 'string' && SANDBOX_ID.test(sandboxId) ? sandboxId : undefined;
}

/** No honest call holds more values. A schema looks at each, and says of each what is wrong. */
const MAX_VALUES = 5_000;

function isVast(raw: unknown): boolean {
  let values = 0;
  const open: unknown[] = [raw];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== 'object' || next === null) continue;
    const inner = Object.values(next);
    values += inner.length;
    if (values > MAX_VALUES) return true;
    for (const value of inner) if (typeof value === 'object' && value !== null) open.push(value);
  }
  return false;
}

function parse<Args>(id: string, schema: z.ZodType<Args>, raw: unknown): Args {
  if (isVast(raw))
    throw new GatewayError('request_invalid', `${id}: more than ${MAX_VALUES} values. Send less at once.`);
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.slice(0, 5).map(({ path, message }) => {
    const place = path.filter(step => step !== 'opts').join('.');
    return place === '' ? message : `${place}: ${message}`;
  });
  throw new GatewayError('request_invalid', `${id}: ${problems.join('; ')}. See describe('${id}') in the search tool.`);
}

// --- Arguments -----------------------------------------------------------------------------------------------------

/** Goes into host names and paths: nothing but what E2B makes. */
export const sandboxId = z.string().regex(SANDBOX_ID, 'is not a sandbox id, e.g. "i0abc…" as sbx.sandboxId holds it');
export const path = z
  .string()
  .min(1)
  .max(4_096)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a path with one is what it looks for
  .regex(/^[^\u0000]*$/, 'holds a NUL');
export const user = z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/i, 'is not a user name');
export const pid = z.number().int().min(1).max(0xffff_ffff);
export const timeoutMs = z.number().min(0).max(86_400_000).transform(Math.ceil);
/** A smaller number was meant as seconds: 300, 1800 and 3600 are usual ones. */
const MIN_LIFE_MS = 15_000;
const MIN_COMMAND_MS = 100;
const inMilliseconds = (minMs: number) =>
  timeoutMs.refine(ms => ms === 0 || ms >= minMs, {
    error: ({ input }) =>
      `is in milliseconds, and ${input} looks like seconds: ${input} s is ${Number(input) * 1_000} (at least ${minMs} here)`,
  });
/** How long a sandbox lives; 0: it ends now. */
export const lifeMs = inMilliseconds(MIN_LIFE_MS);
/** How long a command or code may take; 0: as long as the run. */
export const commandMs = inMilliseconds(MIN_COMMAND_MS);
export const strings = z.record(z.string().max(1_000), z.string());

/** Names that are not here, and what to do instead. */
const HINTS: Readonly<Record<string, string>> = {
  apiKey: 'the gateway adds the key',
  timeout: 'it is timeoutMs here, in milliseconds',
  timeout_ms: 'it is timeoutMs',
  env: 'it is envs',
  envVars: 'it is envs',
  workDir: 'it is cwd',
  workdir: 'it is cwd',
  autoPause: "it is lifecycle: { onTimeout: 'pause' }",
  state: 'it is query: { state: […] }',
  metadata: 'it is query: { metadata: { … } }',
  contextId: 'it is context, what createCodeContext returned',
  templateID: 'it is template',
  templateId: 'it is template',
  signal: 'not needed: everything ends with the run',
  gzip: 'not needed',
};

/** Only where the method has what the hint names. */
function hintOf(key: string, shape: object): string {
  const hint = Object.hasOwn(HINTS, key) ? HINTS[key] : undefined;
  const [, meant] = /^it is (\w+)/.exec(hint ?? '') ?? [];
  return hint === undefined || (meant !== undefined && !Object.hasOwn(shape, meant)) ? '' : ` (${hint})`;
}

/**
 * The options of a method, and `requestTimeoutMs`, which all methods of the SDK have. Unknown names are refused, with
 * the name that was meant; so are the SDK's that are not the guest's to say, as `debug`.
 */
export function options<Shape extends z.ZodRawShape>(shape: Shape) {
  return z
    .strictObject(
      { ...shape, requestTimeoutMs: timeoutMs.optional() },
      {
        error: issue => {
          if (issue.code !== 'unrecognized_keys') return undefined;
          const known = Object.keys(shape).join(', ');
          const named = issue.keys.map(key => {
            return `"${key.slice(0, 60)}"${hintOf(key, shape)}`;
          });
          return `unknown option ${named.join(', ')}; there are: ${known === '' ? 'none' : known}`;
        },
      },
    )
    .prefault({} as never);
}

export const onInstance = <Shape extends z.ZodRawShape>(shape: Shape) => z.strictObject({ sandboxId, ...shape });

/** The SDK tells an absent option from an undefined one, and so do its types. */
export const defined = <T extends object>(given: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never;
