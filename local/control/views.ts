// How sandboxes look in answers. Tokens appear only where E2B shows them; proxy passwords never.
import type { Sandbox } from '../cloud.ts';

export const ENVD_VERSION = '0.6.13';
/** E2B gives every sandbox the same one, for old clients. */
const CLIENT_ID = '6532622b';

const iso = (timeMs: number): string => new Date(timeMs).toISOString();

/** Answer of create, connect, resume, fork. */
export function viewStarted(sandbox: Sandbox) {
  return {
    templateID: sandbox.spec.templateId,
    sandboxID: sandbox.sandboxId,
    alias: sandbox.spec.alias,
    clientID: CLIENT_ID,
    envdVersion: ENVD_VERSION,
    envdAccessToken: sandbox.envdAccessToken,
    trafficAccessToken: sandbox.trafficAccessToken ?? null,
    domain: sandbox.domain ?? null,
  };
}

/** One entry of a list. */
export function viewListed(sandbox: Sandbox) {
  const { spec } = sandbox;
  return {
    templateID: spec.templateId,
    alias: spec.alias,
    sandboxID: sandbox.sandboxId,
    clientID: CLIENT_ID,
    startedAt: iso(sandbox.startedAtMs),
    endAt: iso(sandbox.endAtMs),
    cpuCount: spec.cpuCount,
    memoryMB: spec.memoryMB,
    diskSizeMB: spec.diskSizeMB,
    metadata: spec.metadata,
    state: sandbox.state,
    envdVersion: ENVD_VERSION,
    volumeMounts:
      spec.volumeMounts.length === 0 ? undefined : spec.volumeMounts.map(({ name, path }) => ({ name, path })),
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
