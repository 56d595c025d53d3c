// Snapshots: a sandbox's machine copied into a template. Deleting one is deleting its template (templates.ts).
import type { Cloud } from '../cloud.ts';
import { ApiError, findSandbox, shortId } from './errors.ts';
import type { Handlers } from './operation.ts';
import { paginate } from './page.ts';
import type { Team } from './team.ts';
import type { Template, TemplateStore } from './template-store.ts';
import { DEFAULT_TAG, parseName } from './template-store.ts';

export function snapshotHandlers(cloud: Cloud, templates: TemplateStore): Handlers {
  return {
    'POST /sandboxes/{sandboxID}/snapshots': async ({ team, param, body: { name } }) => {
      const parsed = name === undefined ? undefined : snapshotName(name, team);
      const sandbox = findSandbox(cloud, team, param('sandboxID'));
      const { spec, sandboxId, state } = sandbox;
      if (state !== 'running') throw new ApiError(404, `Sandbox '${sandboxId}' not found or not running`);
      const content = await cloud.copyMachine(sandbox);
      cloud.tell('snapshotted', sandbox);
      const tag = parsed?.tag ?? DEFAULT_TAG;
      const template = templates.findOrAdd(team, { kind: 'snapshot', alias: parsed?.name, sourceSandboxId: sandboxId });
      templates.finish(template, templates.addBuild(template, spec, [tag]), content, `Snapshot of ${sandboxId}`);
      return viewSnapshot(template, tag);
    },
    'GET /snapshots': call => {
      const { sandboxID, name } = call.query;
      const wanted = name === undefined ? undefined : snapshotName(name, call.team);
      const snapshots = templates
        .list(call.team, 'snapshot')
        .filter(({ sourceSandboxId: id }) => sandboxID === undefined || id === shortId(sandboxID))
        .filter(({ alias, templateID }) => wanted === undefined || [alias, templateID].includes(wanted.name))
        .filter(({ tags }) => wanted?.tag === undefined || tags.has(wanted.tag));
      const page = paginate(snapshots, each => ({ timeMs: Date.parse(each.createdAt), id: each.templateID }), call);
      return page.map(each => viewSnapshot(each, wanted?.tag ?? newestTag(each)));
    },
  };
}

/** @throws ApiError 400, also for another team's namespace */
function snapshotName(name: string, team: Team) {
  const parsed = parseName(name, 'name');
  if (parsed.namespace !== undefined && parsed.namespace !== team.slug) {
    throw new ApiError(400, `namespace '${parsed.namespace}' must match your team '${team.slug}'`);
  }
  return parsed;
}

function newestTag({ builds, tags }: Template): string {
  const [tag = DEFAULT_TAG] = [...tags].findLast(([, { buildID }]) => buildID === builds[0]?.buildID) ?? [];
  return tag;
}

const viewSnapshot = ({ templateID, names }: Template, tag: string) => ({
  snapshotID: `${names[0] ?? templateID}:${tag}`,
  names,
});
