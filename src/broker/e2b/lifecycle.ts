// The methods for sandboxes themselves: create, connect, fork, list, inspect, pause, kill. They call only E2B's API.
import { z } from 'zod';
import type { SdkOptions } from '../../e2b/connection.ts';
import type { Access } from '../../e2b/handle.ts';
import { Sandbox } from '../../e2b/sdk.ts';
import { isNamedSandboxNotFound } from '../../e2b/sdk-errors.ts';
import { GatewayError } from '../../errors.ts';
import { omitUndefined } from '../../ground/omit-undefined.ts';
import { dropMetadata } from '../../upstream/answer.ts';
import { unlessAborted } from './abort.ts';
import { lifeMs, MIN_LIFE_MS, onInstance, options, sandboxId, strings } from './arguments.ts';
import { loseFollowers } from './command-runs.ts';
import { clean, noAnswer } from './errors.ts';
import { method } from './method.ts';
import { REQUEST_TAG, tag, withinQuota, wouldStart } from './quota.ts';
import { isRunner, refuseRunnerMetadata } from './runners.ts';
import type { SandboxCall } from './sandbox-call.ts';

/** The default of the code interpreter's SDK; runCode needs it. */
const DEFAULT_TEMPLATE = 'code-interpreter-v1';
const KILL_TIMEOUT_MS = 10_000;

const template = z.string().min(1).max(200);
const date = z.coerce.date({ error: "is not a date: give a Date, or text such as '2026-01-31T12:00:00Z'" });
const rule = z.strictObject({ transform: z.strictObject({ headers: strings }).optional() });
const egress = {
  allowOut: z.array(z.string().max(300)).max(1_000).optional(),
  denyOut: z.array(z.string().max(300)).max(1_000).optional(),
  rules: z.record(z.string().max(300), z.array(rule)).optional(),
  egressProxy: z
    .strictObject({ address: z.string(), username: z.string().optional(), password: z.string().optional() })
    .optional(),
};
const network = z.strictObject({
  ...egress,
  allowPublicTraffic: z.boolean().optional(),
  maskRequestHost: z.string().optional(),
  httpsPorts: z.array(z.number().int().min(1).max(65_535)).optional(),
});
const onTimeout = z
  .enum(['kill', 'pause'])
  .or(z.strictObject({ action: z.enum(['kill', 'pause']), keepMemory: z.boolean().optional() }));

/** The SDK's default. */
const DEFAULT_LIFE_MS = 300_000;

const create = method('Sandbox.create', {
  mode: 'write',
  args: z.strictObject({
    template: template.optional(),
    opts: options({
      template: template.optional(),
      timeoutMs: lifeMs.optional(),
      metadata: strings.optional(),
      envs: strings.optional(),
      allowInternetAccess: z.boolean().optional(),
      network: network.optional(),
      lifecycle: z.strictObject({ onTimeout: onTimeout.optional(), autoResume: z.boolean().optional() }).optional(),
      volumeMounts: strings.optional(),
      /** Always true: a sandbox without it would answer requests from anybody. */
      secure: z.literal(true, 'is always true here').optional(),
    }),
  }),
  async run({ template, opts }, call) {
    const { session, context } = call;
    const { requestTimeoutMs: _, secure: __, template: inOpts, ...given } = opts;
    refuseRunnerMetadata(given.metadata);
    const make = (sdk: SdkOptions) =>
      Sandbox.create(template ?? inOpts ?? DEFAULT_TEMPLATE, {
        ...sdk,
        ...(omitUndefined(given) as object),
        metadata: { ...given.metadata, ...tag(session.options.requestId) },
        lifecycle: { onTimeout: 'kill', ...(omitUndefined(given.lifecycle ?? {}) as object) },
      });
    const made = await quota(call, 1, () => createOrUndo(call, make));
    context.call.made([made.sandboxId]);
    context.call.livesUntil(Date.now() + (opts.timeoutMs ?? DEFAULT_LIFE_MS));
    return instanceData(session.learn(made), call);
  },
});

/**
 * Does not abort a creation that was sent: it waits for the sandbox, and kills it if the run has ended or the agent's
 * code has stopped waiting in the meantime.
 */
async function createOrUndo(
  { session, context, sdk }: SandboxCall,
  make: (sdk: SdkOptions) => Promise<Sandbox>,
): Promise<Sandbox> {
  const forItself = (timeoutMs: number) => ({ timeoutMs, signal: AbortSignal.timeout(timeoutMs) });
  const undo = ({ sandboxId }: Sandbox) =>
    void session.api(context, own => Sandbox.kill(sandboxId, own), forItself(KILL_TIMEOUT_MS)).catch(() => {});
  const making = session.api(context, make, forItself(context.limits.callTimeoutMs));
  const late = AbortSignal.timeout(sdk.requestTimeoutMs);
  try {
    return await unlessAborted(making, AbortSignal.any([context.signal, late]), undo);
  } catch (caught) {
    throw late.aborted && !context.signal.aborted ? noAnswer(sdk.requestTimeoutMs) : caught;
  }
}

const connect = method('Sandbox.connect', {
  mode: 'read',
  args: onInstance({
    opts: options({ timeoutMs: lifeMs.optional(), onResume: z.enum(['restore', 'reboot']).optional() }),
  }),
  async run({ sandboxId, opts }, call) {
    const { session, context } = call;
    if (context.mode === 'read') return attachOnly(sandboxId, call);
    context.call.name(`Sandbox.connect ${sandboxId}`, true);
    const { timeoutMs, onResume } = opts;
    const ask = () =>
      Sandbox.connect(sandboxId, {
        ...call.sdk,
        ...omitUndefined({ timeoutMs, onResume }),
      });
    const starts = await wouldStart(sandboxId, call);
    const connected = starts ? await quota(call, 1, ask) : await call.send(ask);
    return instanceData(session.learn(connected), call);
  },
});

/** connect in execute_read neither resumes nor extends the sandbox. A paused one can still be inspected. */
async function attachOnly(sandboxId: string, call: SandboxCall): Promise<unknown> {
  try {
    return instanceData(await call.onSandbox(sandboxId, async ({ access }) => access), call);
  } catch (caught) {
    if (!(caught instanceof GatewayError) || caught.code !== 'sandbox_not_running') throw caught;
    return { sandboxId, domain: call.session.options.connection.domain };
  }
}

const fork = method('Sandbox.fork', {
  mode: 'write',
  args: onInstance({
    opts: options({ count: z.number().int().min(1).max(100).default(1), timeoutMs: lifeMs.optional() }),
  }),
  async run({ sandboxId, opts: { count, timeoutMs } }, call) {
    const forks = await quota(call, count, () =>
      Sandbox.fork(sandboxId, { ...call.sdk, count, ...omitUndefined({ timeoutMs }) }),
    );
    call.context.call.made(forks.flatMap(made => (made instanceof Error ? [] : [made.sandboxId])));
    return forks.map(made =>
      made instanceof Error
        ? { error: { name: made.name, message: clean(made.message, { apiKey: call.sdk.apiKey, tokens: [] }) } }
        : instanceData(call.session.learn(made), call),
    );
  },
});

const list = method('Sandbox.list', {
  mode: 'read',
  redact: true,
  args: z.strictObject({
    opts: options({
      query: z
        .strictObject({
          metadata: strings.optional(),
          state: z.array(z.enum(['running', 'paused'])).optional(),
          startedAfter: date.optional(),
          template: template.optional(),
        })
        .optional(),
      order: z.enum(['asc', 'desc']).optional(),
      limit: z.number().int().min(1).max(100).optional(),
      nextToken: z.string().max(2_000).optional(),
    }),
  }),
  async run({ opts }, call) {
    const { requestTimeoutMs: _, ...given } = opts;
    const { signal, ...sdk } = call.sdk;
    const pages = Sandbox.list({ ...sdk, ...(omitUndefined(given) as object) });
    return call.send(async () => {
      const items = await pages.nextItems({ signal });
      return {
        items: items.filter(item => !isRunner(item)).map(withoutMark),
        nextToken: pages.nextToken,
      };
    });
  },
});

/** Removes the gateway's own metadata entry, which agents do not need. */
function withoutMark<Info extends { metadata: Record<string, string> }>(info: Info): Info {
  dropMetadata(info, REQUEST_TAG);
  return info;
}

const getInfo = method('Sandbox.getInfo', {
  mode: 'read',
  redact: true,
  args: onInstance({ opts: options({}) }),
  run: ({ sandboxId }, call) => call.send(async () => withoutMark(await Sandbox.getInfo(sandboxId, call.sdk))),
});

const getMetrics = method('Sandbox.getMetrics', {
  mode: 'read',
  args: onInstance({ opts: options({ start: date.optional(), end: date.optional() }) }),
  run: ({ sandboxId, opts: { start, end } }, call) =>
    call.send(() =>
      Sandbox.getMetrics(sandboxId, {
        ...call.sdk,
        ...omitUndefined({ start, end }),
      }),
    ),
});

const isRunning = method('Sandbox.isRunning', {
  mode: 'read',
  args: onInstance({ opts: options({}) }),
  async run({ sandboxId }, call) {
    // Asks E2B's API first, without cached access: a health check sent to a paused sandbox could resume it.
    call.session.forget(sandboxId);
    try {
      return await call.onSandbox(sandboxId, ({ sandbox, sdk }) => sandbox.isRunning({ signal: sdk.signal }));
    } catch (caught) {
      if (!(caught instanceof GatewayError)) throw caught;
      if (caught.code === 'sandbox_not_running' || isNamedSandboxNotFound(caught.cause)) return false;
      throw caught;
    }
  },
});

const setTimeout = method('Sandbox.setTimeout', {
  mode: 'write',
  args: onInstance({ timeoutMs: lifeMs, opts: options({}) }),
  effectOf: ({ timeoutMs }) => (timeoutMs < MIN_LIFE_MS ? 'ends' : undefined),
  async run({ sandboxId, timeoutMs }, call) {
    await call.send(() => Sandbox.setTimeout(sandboxId, timeoutMs, call.sdk));
    call.context.call.livesUntil(Date.now() + timeoutMs);
  },
});

const kill = method('Sandbox.kill', {
  mode: 'write',
  args: z.strictObject({ sandboxId: z.string().max(200), opts: options({}) }),
  async run({ sandboxId: id, opts: _ }, call) {
    // There cannot be such a sandbox, and the SDK returns false for a missing one.
    if (!sandboxId.safeParse(id).success) return false;
    call.session.forget(id);
    return call.send(() => Sandbox.kill(id, call.sdk));
  },
});

const pause = method('Sandbox.pause', {
  mode: 'write',
  args: onInstance({ opts: options({ keepMemory: z.boolean().optional() }) }),
  async run({ sandboxId, opts: { keepMemory } }, call) {
    call.session.forget(sandboxId);
    const opts = { ...call.sdk, ...omitUndefined({ keepMemory }) };
    const paused = await call.send(() => Sandbox.pause(sandboxId, opts));
    loseFollowers(call, sandboxId);
    return paused;
  },
});

const updateNetwork = method('Sandbox.updateNetwork', {
  mode: 'write',
  args: onInstance({
    network: z.strictObject({ ...egress, allowInternetAccess: z.boolean().optional() }),
    opts: options({}),
  }),
  run: ({ sandboxId, network }, call) =>
    call.send(() => Sandbox.updateNetwork(sandboxId, omitUndefined(network) as object, call.sdk)),
});

export const LIFECYCLE = {
  'Sandbox.create': create,
  'Sandbox.connect': connect,
  'Sandbox.fork': fork,
  'Sandbox.list': list,
  'Sandbox.getInfo': getInfo,
  'Sandbox.getMetrics': getMetrics,
  'Sandbox.isRunning': isRunning,
  'Sandbox.setTimeout': setTimeout,
  'Sandbox.kill': kill,
  'Sandbox.pause': pause,
  'Sandbox.updateNetwork': updateNetwork,
};

/** The data of a guest's Sandbox instance. It contains no token. */
const instanceData = ({ sandboxId, domain }: Access, call: SandboxCall) => ({
  sandboxId,
  domain: domain ?? call.session.options.connection.domain,
});

/** Checks the quota before anything counts as sent. */
async function quota<T>(call: SandboxCall, wanted: number, create: () => Promise<T>): Promise<T> {
  return withinQuota(call, wanted, () => call.send(create));
}
