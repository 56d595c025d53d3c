// Templates, their tags and builds, as the API shows them.
import { type Build, DEFAULT_SIZE, fullNames, type Template } from './template-store.ts';
import { ENVD_VERSION } from './views.ts';

const iso = (timeMs: number): string => new Date(timeMs).toISOString();

export const viewLogs = (build: Build) =>
  build.logs.map(({ timestampMs, level, message }) => ({ timestamp: iso(timestampMs), level, message }));

export const viewTags = (template: Template) =>
  [...template.tags].map(([tag, { buildId, createdAtMs }]) => ({ tag, buildID: buildId, createdAt: iso(createdAtMs) }));

function viewCommon(template: Template) {
  return {
    templateID: template.templateId,
    public: template.public,
    aliases: template.alias === undefined ? [] : [template.alias],
    names: fullNames(template),
    createdAt: iso(template.createdAtMs),
    updatedAt: iso(template.updatedAtMs),
    lastSpawnedAt: template.lastSpawnedAtMs === undefined ? null : iso(template.lastSpawnedAtMs),
    spawnCount: template.spawnCount,
  };
}

export function viewTemplate(template: Template) {
  const build = template.builds.find(each => each.status === 'ready') ?? template.builds[0];
  return {
    ...viewCommon(template),
    buildID: build?.buildId ?? '',
    buildStatus: build?.status ?? 'waiting',
    cpuCount: build?.cpuCount ?? DEFAULT_SIZE.cpuCount,
    memoryMB: build?.memoryMB ?? DEFAULT_SIZE.memoryMB,
    diskSizeMB: build?.diskSizeMB ?? DEFAULT_SIZE.diskSizeMB,
    envdVersion: ENVD_VERSION,
    createdBy: null,
    buildCount: template.builds.length,
  };
}

export function viewWithBuilds(template: Template, builds: readonly Build[]) {
  return {
    ...viewCommon(template),
    builds: builds.map(build => ({
      buildID: build.buildId,
      status: build.status,
      createdAt: iso(build.createdAtMs),
      updatedAt: iso(build.updatedAtMs),
      finishedAt: build.status === 'ready' ? iso(build.updatedAtMs) : undefined,
      cpuCount: build.cpuCount,
      memoryMB: build.memoryMB,
      diskSizeMB: build.diskSizeMB,
      envdVersion: ENVD_VERSION,
    })),
  };
}
