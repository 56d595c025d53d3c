// The life of a sandbox over HTTP: create, get, kill, pause, resume, connect, timeout, refreshes, network, fork.
import { type Cloud, CloudError, type Sandbox } from '../cloud.ts';
import { isDataMachine } from '../machine/machine.ts';
import type { Team } from './auth.ts';
import { startCommand } from './build-steps.ts';
import { ApiError, fromCloud } from './errors.ts';
import { acceptNetwork, checkMaskHost } from './network-rules.ts';
import { type Call, parseBody, type Route, route } from './route.ts';
import { findSandbox } from './sandbox-access.ts';
import * as schemas from './schemas.ts';
import type { TemplateStore } from './template-store.ts';
import { unsupported } from './unsupported.ts';
import { viewDetail, viewStarted } from './views.ts';
import type { VolumeStore } from './volumes.ts';

export type Parts = { readonly cloud: Cloud; readonly templates: TemplateStore; readonly volumes: VolumeStore };

const DEFAULT_SECONDS = 15;
const DEFAULT_SECONDS_V2 = 300;

export function sandboxRoutes(parts: Parts): Route[] {
  const { cloud } = parts;
  const find = ({ team, param }: Call): Sandbox => findSandbox(cloud, team, param('sandboxID'));
  const lifeMs = (timeout: number | undefined, defaultSeconds = DEFAULT_SECONDS): number =>
    acceptTimeout(timeout ?? defaultSeconds, cloud.limits.maxLifeMs);

  return [
    route('post', '/sandboxes', 201, ({ team, body: raw }) => {
      const body = parseBody(schemas.newSandbox, raw);
      return create(parts, team, body, lifeMs(body.timeout));
    }),
    route('post', '/v2/sandboxes', 201, ({ team, body: raw }) => {
      const body = parseBody(schemas.newSandboxV2, raw);
      return create(parts, team, body, lifeMs(body.timeout, DEFAULT_SECONDS_V2));
    }),
    route('get', '/sandboxes/:sandboxID', 200, call => viewDetail(find(call))),
    route('delete', '/sandboxes/:sandboxID', 204, call => cloud.kill(find(call))),
    route('post', '/sandboxes/:sandboxID/pause', 204, call => {
      const { memory } = parseBody(schemas.pauseSandbox, call.body ?? {});
      return cloud.pause(find(call), { keepMemory: memory });
    }),
    route('post', '/sandboxes/:sandboxID/resume', 201, async call => {
      const { timeout, memory } = parseBody(schemas.resumeSandbox, call.body ?? {});
      const timeoutMs = lifeMs(timeout);
      const sandbox = find(call);
      await cloud.resume(sandbox, timeoutMs, { keepMemory: memory });
      return viewStarted(sandbox);
    }),
    route('post', '/sandboxes/:sandboxID/connect', 200, call => {
      const { timeout, memory } = parseBody(schemas.connectSandbox, call.body);
      const timeoutMs = lifeMs(timeout);
      return connect(cloud, find(call), call, timeoutMs, memory);
    }),
    route('post', '/v2/sandboxes/:sandboxID/connect', 200, call => {
      const { timeout, memory } = parseBody(schemas.resumeSandbox, call.body ?? {});
      const timeoutMs = lifeMs(timeout, DEFAULT_SECONDS_V2);
      return connect(cloud, find(call), call, timeoutMs, memory);
    }),
    route('post', '/sandboxes/:sandboxID/timeout', 204, call => {
      const { timeout } = parseBody(schemas.setTimeoutBody, call.body);
      cloud.setTimeout(find(call), timeout * 1000);
    }),
    route('post', '/sandboxes/:sandboxID/refreshes', 204, call => {
      const { duration = 0 } = parseBody(schemas.refreshBody, call.body ?? {});
      cloud.setTimeout(find(call), Math.max(duration, DEFAULT_SECONDS) * 1000, { extendOnly: true });
    }),
    route('put', '/sandboxes/:sandboxID/network', 204, call => {
      const { allow_internet_access: allowInternet, ...rules } = parseBody(schemas.networkUpdate, call.body);
      const sandbox = find(call);
      cloud.setNetwork(sandbox, acceptNetwork(rules), allowInternet);
      warnOf(cloud, sandbox, { network: rules });
    }),
    route('post', '/sandboxes/:sandboxID/fork', 201, call => {
      const { timeout, count } = parseBody(schemas.forkBody, call.body ?? {});
      return fork(cloud, find(call), lifeMs(timeout), count);
    }),
  ];
}

async function create(parts: Parts, team: Team, body: schemas.NewSandbox, timeoutMs: number) {
  const { cloud, templates, volumes } = parts;
  const { template, build } = templates.findBuild(team, body.templateID);
  const { defaults, buildId, cpuCount, memoryMB, diskSizeMB } = build;
  const volumeMounts = volumes.mountsOf(team.teamId, body.volumeMounts);
  const asked = askedOf(body);
  const spec = {
    ...asked,
    envVars: { ...defaults.envs, ...body.envVars },
    teamId: team.teamId,
    templateId: template.templateId,
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
function warnOf(cloud: Cloud, sandbox: Sandbox, asked: Parameters<typeof unsupported>[0]): void {
  for (const sentence of unsupported(asked)) {
    cloud.log(sandbox, 'warn', `Local mode: ${sentence}`);
    cloud.warn(sentence);
  }
}

/** 200 for a sandbox that runs already (its time is only ever extended), 201 for one that was resumed. */
async function connect(cloud: Cloud, sandbox: Sandbox, { res }: Call, timeoutMs: number, keepMemory: boolean) {
  if (sandbox.state === 'paused' && (await resumeFirst(cloud, sandbox, timeoutMs, keepMemory))) res.status(201);
  else cloud.setTimeout(sandbox, timeoutMs, { extendOnly: true });
  return viewStarted(sandbox);
}

/** False when another resume came first. */
async function resumeFirst(cloud: Cloud, sandbox: Sandbox, timeoutMs: number, keepMemory: boolean): Promise<boolean> {
  try {
    await cloud.resume(sandbox, timeoutMs, { keepMemory });
    return true;
  } catch (caught) {
    if (caught instanceof CloudError && caught.code === 'already_running') return false;
    throw caught;
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

/** @throws ApiError 400 */
function acceptTimeout(seconds: number, maxMs: number): number {
  if (seconds <= 0) throw new ApiError(400, 'Timeout must be greater than 0');
  if (seconds * 1000 > maxMs) throw new ApiError(400, `Timeout cannot be greater than ${maxMs / 3_600_000} hours`);
  return seconds * 1000;
}

/** What a sandbox is made of as far as the caller says it. @throws ApiError 400 */
function askedOf(body: schemas.NewSandbox) {
  checkMaskHost(body.network?.maskRequestHost);
  const network = body.network === undefined ? undefined : acceptNetwork(body.network);
  const { secure, autoPause, autoPauseMemory, metadata = {} } = body;
  const autoResume = body.autoResume?.enabled ?? false;
  if (network?.allowPublicTraffic === false && !secure) {
    throw new ApiError(
      400,
      "You cannot create a sandbox without public access unless you enable secure envd access via 'secure' flag.",
    );
  }
  if (!autoPauseMemory && !autoPause) {
    throw new ApiError(400, 'autoPauseMemory=false only applies when autoPause is true.');
  }
  if (autoResume && autoPause && !autoPauseMemory) {
    throw new ApiError(400, 'autoResume cannot be combined with autoPauseMemory: false');
  }
  return {
    ...{ metadata, secure, autoResume, network },
    onTimeout: autoPause ? ('pause' as const) : ('kill' as const),
    keepMemoryOnTimeout: autoPauseMemory,
    allowInternetAccess: body.allow_internet_access,
  };
}
