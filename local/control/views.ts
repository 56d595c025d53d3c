// How sandboxes look in answers. Tokens appear only where E2B shows them; proxy passwords never.
import type { Sandbox } from '../cloud.ts';

export const ENVD_VERSION = '0.6.13';
/** E2B gives every sandbox the same one, for old clients. */
const CLIENT_ID = '6532622b';

const iso = (timeMs: number): string => new Date(timeMs).toISOString();

/** Answer of create, connect, resume, fork. */
export function viewStarted({ spec, ...sandbox }: Sandbox) {
  return {
    ...{ templateID: spec.templateId, sandboxID: sandbox.sandboxId, alias: spec.alias },
    ...{ clientID: CLIENT_ID, envdVersion: ENVD_VERSION },
    envdAccessToken: sandbox.envdAccessToken,
    trafficAccessToken: sandbox.trafficAccessToken ?? null,
    domain: sandbox.domain ?? null,
  };
}

/** One entry of a list. */
export function viewListed({ spec, ...sandbox }: Sandbox) {
  const { alias, cpuCount, memoryMB, diskSizeMB, metadata } = spec;
  const volumeMounts = spec.volumeMounts.map(({ name, path }) => ({ name, path }));
  return {
    ...{ templateID: spec.templateId, sandboxID: sandbox.sandboxId, alias, state: sandbox.state },
    ...{ clientID: CLIENT_ID, envdVersion: ENVD_VERSION, cpuCount, memoryMB, diskSizeMB, metadata },
    startedAt: iso(sandbox.startedAtMs),
    endAt: iso(sandbox.endAtMs),
    volumeMounts: volumeMounts.length === 0 ? undefined : volumeMounts,
  };
}

/** Answer of GET one. */
export function viewDetail(sandbox: Sandbox) {
  const { spec } = sandbox;
  return {
    ...viewListed(sandbox),
    envdAccessToken: sandbox.envdAccessToken,
    allowInternetAccess: sandbox.allowInternetAccess ?? null,
    domain: sandbox.domain ?? null,
    network: sandbox.network,
    lifecycle: { autoResume: spec.autoResume, onTimeout: spec.onTimeout },
  };
}
