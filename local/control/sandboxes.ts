// Sandboxes over HTTP: create, get, kill, pause, resume, connect, timeout, refreshes, network, fork, and lists.
import { type Cloud, CloudError, type Sandbox } from '../cloud.ts';
import { isDataMachine } from '../machine/machine.ts';
import * as asked from './asked.ts';
import { startCommand } from './build-steps.ts';
import type { Call, Handlers } from './operation.ts';
import { paginate } from './page.ts';
import type { Team } from './team.ts';
import { ApiError, findSandbox, fromCloud } from './team.ts';
import type { TemplateStore } from './template-store.ts';
import { viewDetail, viewListed, viewStarted } from './views.ts';
import type { VolumeStore } from './volumes.ts';

type Parts = { readonly cloud: Cloud; readonly templates: TemplateStore; readonly volumes: VolumeStore };
type Wanted = { readonly timeout?: number; readonly memory?: boolean };

const MIN_REFRESH_SECONDS = 15;

export function sandboxHandlers(parts: Parts): Handlers {
  const { cloud } = parts;
  const find = ({ team, param }: Call): Sandbox => findSandbox(cloud, team, param('sandboxID'));
  const lifeMs = (timeout: number | undefined): number => asked.acceptTimeout(timeout, cloud.limits.maxLifeMs);

  /** 200 for a sandbox that runs already (its time is only ever extended), 201 for one that was resumed. */
  const connect = async (call: Call<unknown, Wanted>) => {
    const { timeout, memory = true } = call.body;
    const timeoutMs = lifeMs(timeout);
    const sandbox = find(call);
    const paused = sandbox.state === 'paused';
    if (paused && (await cloud.resumeUnlessRunning(sandbox, timeoutMs, { keepMemory: memory }))) call.res.status(201);
    else cloud.setTimeout(sandbox, timeoutMs, { extendOnly: true });
    return viewStarted(sandbox);
  };

  return {
    'POST /sandboxes': ({ team, body }) => create(parts, team, body, lifeMs(body.timeout)),
    // v2 sandboxes are always secured.
    'POST /v2/sandboxes': ({ team, body }) => create(parts, team, { ...body, secure: true }, lifeMs(body.timeout)),
    'GET /sandboxes/{sandboxID}': call => viewDetail(find(call)),
    'DELETE /sandboxes/{sandboxID}': call => cloud.kill(find(call)),
    'POST /sandboxes/{sandboxID}/pause': call => cloud.pause(find(call), { keepMemory: call.body.memory ?? true }),
    'POST /sandboxes/{sandboxID}/resume': async call => {
      const { timeout, memory = true } = call.body;
      const timeoutMs = lifeMs(timeout);
      const sandbox = find(call);
      await cloud.resume(sandbox, timeoutMs, { keepMemory: memory });
      return viewStarted(sandbox);
    },
    'POST /sandboxes/{sandboxID}/connect': connect,
    'POST /v2/sandboxes/{sandboxID}/connect': connect,
    'POST /sandboxes/{sandboxID}/timeout': call => cloud.setTimeout(find(call), call.body.timeout * 1000),
    'POST /sandboxes/{sandboxID}/refreshes': call => {
      const seconds = Math.max(call.body.duration ?? 0, MIN_REFRESH_SECONDS);
      cloud.setTimeout(find(call), seconds * 1000, { extendOnly: true });
    },
    'PUT /sandboxes/{sandboxID}/network': call => {
      const { allow_internet_access: allowInternet, ...rules } = call.body;
      const sandbox = find(call);
      cloud.setNetwork(sandbox, asked.acceptNetwork(rules), allowInternet);
      warnOf(cloud, sandbox, { network: rules });
    },
    'POST /sandboxes/{sandboxID}/fork': call => {
      const { timeout, count = 1 } = call.body;
      return fork(cloud, find(call), lifeMs(timeout), count);
    },
  };
}

async function create(parts: Parts, team: Team, body: asked.NewSandbox, timeoutMs: number) {
  const { cloud, templates, volumes } = parts;
  const { template, build } = templates.findBuild(team, body.templateID);
  const { defaults, buildID: buildId, cpuCount, memoryMB, diskSizeMB } = build;
  const volumeMounts = volumes.mountsOf(team.teamId, body.volumeMounts ?? []);
  const spec = {
    ...asked.acceptSandbox(body),
    envVars: { ...defaults.envs, ...body.envVars },
    teamId: team.teamId,
    templateId: template.templateID,
    alias: template.alias,
    ...{ buildId, cpuCount, memoryMB, diskSizeMB, defaults, volumeMounts },
  };
  const sandbox = await cloud.create(spec, timeoutMs, build.content);
  templates.spawned(template);
  warnOf(cloud, sandbox, body);
  if (defaults.startCmd && isDataMachine(sandbox.machine)) await startCommand(sandbox.machine, defaults);
  return viewStarted(sandbox);
}

/** In the sandbox's own log and in local mode's. */
function warnOf(cloud: Cloud, sandbox: Sandbox, wanted: Parameters<typeof asked.unsupported>[0]): void {
  for (const sentence of asked.unsupported(wanted)) {
    cloud.log(sandbox, 'warn', `Local mode: ${sentence}`);
    cloud.warn(sentence);
  }
}

/** One result per fork, each with the sandbox or why it did not start. */
async function fork(cloud: Cloud, sandbox: Sandbox, timeoutMs: number, count: number) {
  const { spec, sandboxId, network, allowInternetAccess } = sandbox;
  const limit = cloud.limits.maxRunningPerTeam;
  if (count >= limit) {
    throw new ApiError(400, `Count must be lower than the maximum number of concurrent sandboxes (${limit})`);
  }
  if (sandbox.state === 'paused') {
    throw new ApiError(409, `Sandbox '${sandboxId}' is paused and cannot be forked; resume it first`);
  }
  const checkpoint = await cloud.copyMachine(sandbox);
  const forks = await Promise.allSettled(
    Array.from({ length: count }, () => cloud.create({ ...spec, network, allowInternetAccess }, timeoutMs, checkpoint)),
  );
  await checkpoint.close();
  return forks.map(each => {
    if (each.status === 'fulfilled') return { sandbox: viewStarted(each.value) };
    const known = each.reason instanceof CloudError ? fromCloud(each.reason, limit) : undefined;
    return { error: { code: known?.status ?? 500, message: known?.message ?? 'Failed to start forked sandbox' } };
  });
}

/** v1: what runs, no pages; v2: filters and pages. */
export function listHandlers(cloud: Cloud): Handlers {
  const matching = ({ team, query }: Call<{ readonly metadata?: string }>): Sandbox[] => {
    const wanted = parseMetadata(query.metadata);
    return cloud.ofTeam(team.teamId).filter(({ spec: { metadata } }) => {
      return wanted.every(([key, value]) => Object.hasOwn(metadata, key) && metadata[key] === value);
    });
  };
  return {
    'GET /sandboxes': call => {
      const running = matching(call).filter(each => each.state === 'running');
      return paginate(running, positionOf, { query: {}, res: call.res }).map(viewListed);
    },
    'GET /v2/sandboxes': call => {
      const { state: states = ['running', 'paused'], template, startedAfter } = call.query;
      const found = matching(call)
        .filter(each => states.some(state => state === each.state))
        .filter(({ spec }) => !template || spec.templateId === template || spec.alias === template)
        .filter(({ startedAtMs }) => startedAfter === undefined || startedAtMs >= Date.parse(startedAfter));
      const running = found.filter(each => each.state === 'running').length;
      if (states.includes('running')) call.res.set('x-total-running', String(running));
      return paginate(found, positionOf, call).map(viewListed);
    },
  };
}

const positionOf = (sandbox: Sandbox) => ({ timeMs: sandbox.startedAtMs, id: sandbox.sandboxId });

/**
 * `k=v&k=v`, encoded twice: the whole as a query value (decoded already), each key and value for itself.
 * @throws ApiError 400
 */
function parseMetadata(text = ''): [string, string][] {
  if (text === '') return [];
  try {
    return unescaped(text)
      .split('&')
      .map(pair => {
        const [key, value, ...rest] = pair.split('=');
        if (key === undefined || value === undefined || rest.length > 0) throw new URIError(pair);
        return [unescaped(key), unescaped(value)];
      });
  } catch {
    throw new ApiError(400, 'Error parsing metadata');
  }
}

/** As in a query: a plus is a space. Throws URIError on a broken percent sign. */
const unescaped = (text: string): string => decodeURIComponent(text.replaceAll('+', ' '));
