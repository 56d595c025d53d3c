// Arguments of the `Sandbox` methods: shared schemas, the check, and the messages for wrong arguments.
import { z } from 'zod';
import { GatewayError } from '../../errors.ts';
import { SANDBOX_ID } from '../ledger.ts';

/** More than legitimate calls have. Counted first, because a schema checks each value and reports each problem. */
const MAX_VALUES = 5_000;

function hasTooManyValues(raw: unknown): boolean {
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

/** @throws GatewayError `request_invalid`, with what is wrong with each argument */
export function parseArguments<Args>(id: string, schema: z.ZodType<Args>, raw: unknown): Args {
  if (hasTooManyValues(raw))
    throw new GatewayError('request_invalid', `${id}: more than ${MAX_VALUES} values. Send less at once.`);
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.slice(0, 5).map(({ path, message }) => {
    const place = path.filter(step => step !== 'opts').join('.');
    return place === '' ? message : `${place}: ${message}`;
  });
  throw new GatewayError('request_invalid', `${id}: ${problems.join('; ')}. See describe('${id}') in the search tool.`);
}

/** An id becomes part of host names and paths, so only the form of E2B's ids is accepted. */
export const sandboxId = z.string().regex(SANDBOX_ID, 'is not a sandbox id, e.g. "i0abc…" as sbx.sandboxId holds it');
export const path = z
  .string()
  .min(1)
  .max(4_096)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it refuses paths with a NUL
  .regex(/^[^\u0000]*$/, 'contains a NUL');
export const user = z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/i, 'is not a user name');
export const pid = z.number().int().min(1).max(0xffff_ffff);
const timeoutMs = z.number().min(0).max(86_400_000).transform(Math.ceil);
/** Smaller values are probably meant as seconds: 300, 1800 and 3600 are common. */
export const MIN_LIFE_MS = 15_000;
const MIN_CALL_MS = 100;
const inMilliseconds = (minMs: number) =>
  timeoutMs.refine(ms => ms === 0 || ms >= minMs, {
    error: ({ input }) =>
      `is in milliseconds, and ${input} looks like seconds: ${input} s is ${Number(input) * 1_000} (at least ${minMs} here)`,
  });
/** Time until a sandbox expires; 0 ends it at once. */
export const lifeMs = inMilliseconds(MIN_LIFE_MS);
/** Time limit of a command, of code, of a wait or of a request; 0: the time that the run has left. */
export const callMs = inMilliseconds(MIN_CALL_MS);
export const strings = z.record(z.string().max(1_000), z.string());

/** Wrong option names that models write, and what to write instead. */
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

/** Returns an empty text if the method does not have the option that the hint names. */
function hintOf(key: string, shape: object): string {
  const hint = Object.hasOwn(HINTS, key) ? HINTS[key] : undefined;
  const [, meant] = /^it is (\w+)/.exec(hint ?? '') ?? [];
  return hint === undefined || (meant !== undefined && !Object.hasOwn(shape, meant)) ? '' : ` (${hint})`;
}

/**
 * The schema of a method's options, with `requestTimeoutMs`, which all methods of the SDK have. Refuses unknown names
 * with the one that was probably meant, and options of the SDK that a guest may not set, such as `debug`.
 */
export function options<Shape extends z.ZodRawShape>(shape: Shape) {
  return z
    .strictObject(
      { ...shape, requestTimeoutMs: callMs.optional() },
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
