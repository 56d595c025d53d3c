// Snapshots: a sandbox's machine copied into a template. Deleting one is deleting its template (templates.ts).
import { z } from 'zod';
import type { Cloud } from '../cloud.ts';
import type { Team } from './auth.ts';
import { ApiError } from './errors.ts';
import { pageQuery, paginate } from './page.ts';
import { parseBody, parseQuery, type Route, route } from './route.ts';
import { findSandbox, shortId } from './sandbox-access.ts';
import { snapshotBody } from './schemas.ts';
import { DEFAULT_TAG, parseName } from './template-name.ts';
import { fullNames, type Template, type TemplateStore } from './template-store.ts';

const listQuery = z.object({ ...pageQuery, sandboxID: z.string().optional(), name: z.string().optional() });

export function snapshotRoutes(cloud: Cloud, templates: TemplateStore): Route[] {
  return [
    route('post', '/sandboxes/:sandboxID/snapshots', 201, async ({ team, param, body }) => {
      const { name } = parseBody(snapshotBody, body ?? {});
      const parsed = name === undefined ? undefined : snapshotName(name, team);
      const sandbox = findSandbox(cloud, team, param('sandboxID'));
      if (sandbox.state !== 'running') {
        throw new ApiError(404, `Sandbox '${sandbox.sandboxId}' not found or not running`);
      }
      const { spec, sandboxId } = sandbox;
      const content = await cloud.copyMachine(sandbox);
      cloud.tell('snapshotted', sandbox);
      const tag = parsed?.tag ?? DEFAULT_TAG;
      const template = templates.findOrAdd(team, { kind: 'snapshot', alias: parsed?.name, sourceSandboxId: sandboxId });
      templates.finish(template, templates.addBuild(template, spec, [tag]), content, `Snapshot of ${sandboxId}`);
      return viewSnapshot(template, tag);
    }),
    route('get', '/snapshots', 200, ({ team, query: raw, res }) => {
      const query = parseQuery(listQuery, raw);
      const wanted = query.name === undefined ? undefined : snapshotName(query.name, team);
      const snapshots = templates
        .list(team, 'snapshot')
        .filter(({ sourceSandboxId: id }) => query.sandboxID === undefined || id === shortId(query.sandboxID))
        .filter(({ alias, templateId }) => wanted === undefined || alias === wanted.name || templateId === wanted.name)
        .filter(({ tags }) => wanted?.tag === undefined || tags.has(wanted.tag));
      const page = paginate(snapshots, each => ({ timeMs: each.createdAtMs, id: each.templateId }), query, res);
      const tagOf = (each: Template): string => wanted?.tag ?? newestTag(each);
      return page.map(each => viewSnapshot(each, tagOf(each)));
    }),
  ];
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
  const [tag = DEFAULT_TAG] = [...tags].findLast(([, { buildId }]) => buildId === builds[0]?.buildId) ?? [];
  return tag;
}

function viewSnapshot(template: Template, tag: string) {
  const [name = template.templateId] = fullNames(template);
  return { snapshotID: `${name}:${tag}`, names: fullNames(template) };
}
