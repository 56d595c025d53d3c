// What every method of `Sandbox` has in common: arguments checked at the border, the read/write split before anything is
// sent, the ledger's line, errors as a guest may read them. Knows no single method.
import { z } from 'zod';
import { GatewayError } from '../../errors.ts';
import type { Sandbox, SdkOptions } from '../../sandbox/connection.ts';
import type { Access } from '../../sandbox/handle.ts';
import type { Wire } from '../../sandbox/wire.ts';
import { redactAnswer } from '../../upstream/redact.ts';
import { refuseRunner } from '../../upstream/runners.ts';
import type { CallContext, Capability } from '../broker.ts';
import { toFailure } from './errors.ts';
import type { Session } from './session.ts';

export type Mode = 'read' | 'write';

/** A sandbox's side of one call. */
export type OnSandbox = {
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
  readonly run: (args: Args, call: SandboxCall) => Promise<unknown>;
};

/** A method that waits for its session: one a run. */
export type SandboxMethod = (session: Session) => Capability;

export function method<Args>(id: string, definition: Definition<Args>): SandboxMethod {
  const write = definition.mode === 'write';
  return session => async (raw, context) => {
    context.call.name(labelOf(id, raw), write);
    if (write && context.mode === 'read') {
      throw new GatewayError(
        'method_refused',
        `${id} changes something, and execute_read only reads. Use execute_write.`,
      );
    }
    const args = parse(id, definition.args, raw);
    const { sandboxId } = args as { sandboxId?: unknown };
    if (typeof sandboxId === 'string') refuseRunner(sandboxId, session.options.isHidden);
    const value = await definition.run(args, callOf(session, context)).catch((caught: unknown) => {
      throw toFailure(caught, context.signal.aborted, { apiKey: context.principal.apiKey, tokens: [] }).error;
    });
    const json = JSON.stringify(value ?? null);
    return definition.redact === true ? redactAnswer(json, undefined, context.principal.apiKey) : json;
  };
}

function callOf(session: Session, context: CallContext): SandboxCall {
  const sdk = session.sdk(context);
  const secrets = (access?: Access) => ({
    apiKey: sdk.apiKey,
    tokens: [access?.envdAccessToken, access?.trafficAccessToken],
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
    send: ask => asked(ask),
    async onSandbox(sandboxId, ask, maxAnswerBytes = Math.min(MAX_ANSWER_BYTES, context.limits.maxAnswerBytes)) {
      const access = await session.attach(sandboxId, context).catch(caught => {
        throw toFailure(caught, context.signal.aborted, secrets()).error;
      });
      const { sandbox, wire } = session.handle(access, sdk, { maxAnswerBytes });
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

function labelOf(id: string, raw: unknown): string {
  const { sandboxId } = (raw ?? {}) as { sandboxId?: unknown };
  return typeof sandboxId === 'string' && SANDBOX_ID.test(sandboxId) ? `${id} ${sandboxId}` : id;
}

function parse<Args>(id: string, schema: z.ZodType<Args>, raw: unknown): Args {
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
const SANDBOX_ID = /^[a-z0-9]{1,64}(?:-[a-z0-9]{1,64})?$/;

export const sandboxId = z.string().regex(SANDBOX_ID, 'is not a sandbox id, e.g. "i0abc…" as sbx.sandboxId holds it');
export const path = z
  .string()
  .min(1)
  .max(4_096)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a path with one is what it looks for
  .regex(/^[^\u0000]*$/, 'holds a NUL');
export const user = z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/i, 'is not a user name');
export const pid = z.number().int().min(1).max(0xffff_ffff);
export const timeoutMs = z.number().min(0).max(86_400_000);
export const strings = z.record(z.string().max(1_000), z.string());

/** Options every SDK method takes. `secure`, `debug` and the like have nothing to say here. */
const HINTS: Readonly<Record<string, string>> = {
  apiKey: 'the gateway adds the key',
  timeout: 'it is timeoutMs here, in milliseconds',
  timeout_ms: 'it is timeoutMs',
  env: 'it is envs',
  envVars: 'it is envs',
  workDir: 'it is cwd',
  workdir: 'it is cwd',
  templateID: 'it is template',
  templateId: 'it is template',
  signal: 'it is not needed: everything ends with the run',
};

/** The options of a method: unknown names are refused, with the name that was meant. */
export function options<Shape extends z.ZodRawShape>(shape: Shape) {
  return z
    .strictObject(
      { ...shape, requestTimeoutMs: timeoutMs.optional() },
      {
        error: issue => {
          if (issue.code !== 'unrecognized_keys') return undefined;
          const known = Object.keys(shape).join(', ');
          const named = issue.keys.map(key => {
            const hint = Object.hasOwn(HINTS, key) ? ` (${HINTS[key]})` : '';
            return `"${key.slice(0, 60)}"${hint}`;
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
