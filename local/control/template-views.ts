// Templates as the API shows them.
import { type Build, DEFAULT_SIZE, type Template } from './template-store.ts';
import { ENVD_VERSION } from './views.ts';

const shown = ({ team: _1, kind: _2, alias: _3, sourceSandboxId: _4, builds: _5, tags: _6, ...rest }: Template) => rest;

export function viewTemplate(template: Template) {
  const { builds } = template;
  const build = builds.find(each => each.status === 'ready') ?? builds[0];
  const { cpuCount, memoryMB, diskSizeMB } = build ?? DEFAULT_SIZE;
  return {
    ...shown(template),
    buildID: build?.buildID ?? '',
    buildStatus: build?.status ?? 'waiting',
    ...{ cpuCount, memoryMB, diskSizeMB, envdVersion: ENVD_VERSION, createdBy: null, buildCount: builds.length },
  };
}

export function viewWithBuilds(template: Template, page: readonly Build[]) {
  const builds = page.map(({ reason: _1, tags: _2, content: _3, defaults: _4, logs: _5, ...rest }) => rest);
  return { ...shown(template), builds };
}
