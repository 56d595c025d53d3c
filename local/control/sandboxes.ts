// The life of a sandbox over HTTP: create, get, kill, pause, resume, connect, timeout, refreshes, network, fork.
import { type Cloud, CloudError, type Sandbox } from '../cloud.ts';
import { isDataMachine } from '../machine/machine.ts';
import * as asked from './asked.ts';
import type { Team } from './auth.ts';
import { startCommand } from './build-steps.ts';
import { ApiError, findSandbox, fromCloud } from './errors.ts';
import type { Call, Handlers } from './operation.ts';
import type { TemplateStore } from './template-store.ts';
import { viewDetail, viewStarted } from './views.ts';
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
  return forks.map(each =>
    each.status === 'fulfilled' ? { sandbox: viewStarted(each.value) } : { error: forkError(each.reason, limit) },
  );
}

function forkError(caught: unknown, maxRunning: number): { code: number; message: string } {
  if (!(caught instanceof CloudError)) return { code: 500, message: 'Failed to start forked sandbox' };
  const { status, message } = fromCloud(caught, maxRunning);
  return { code: status, message };
}
