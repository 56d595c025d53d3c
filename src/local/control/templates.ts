// Templates over HTTP: listing, aliases, tags, and builds. A build runs no steps: it is ready as soon as it is started.
import { z } from 'zod';
import { type Cloud, newId } from '../cloud.ts';
import type { Team } from './auth.ts';
import { ApiError } from './errors.ts';
import { pageQuery, paginate } from './page.ts';
import { type Call, parseBody, parseQuery, queryInt, type Route, route } from './route.ts';
import * as schemas from './schemas.ts';
import { DEFAULT_TAG, parseName } from './template-name.ts';
import { type Build, DEFAULT_SIZE, fullNames, type Template, type TemplateStore } from './template-store.ts';
import { ENVD_VERSION } from './views.ts';

const listQuery = z.object(pageQuery);
const statusQuery = z.object({ logsOffset: queryInt(0).default(0), limit: queryInt(0, 100).default(100) });
const position = (each: { createdAtMs: number }, id: string) => ({ timeMs: each.createdAtMs, id });

export function templateRoutes(cloud: Cloud, templates: TemplateStore): Route[] {
  const find = ({ team, param }: Call): Template => templates.find(team, param('templateID'));
  const findOwn = ({ team, param }: Call): Template => templates.findOwn(team, param('templateID'));
  const findBuild = (template: Template, call: Call): Build => {
    const build = template.builds.find(each => each.buildId === call.param('buildID'));
    if (build === undefined) throw new ApiError(404, `Build '${call.param('buildID')}' not found`);
    return build;
  };

  const update = (call: Call): Template => {
    const body = parseBody(schemas.updateTemplate, call.body);
    const template = findOwn(call);
    template.public = body.public ?? template.public;
    return template;
  };

  const request = (team: Team, body: z.output<typeof schemas.newTemplate>) => {
    const reference = body.name ?? body.alias;
    if (!reference) throw new ApiError(400, 'Name is required');
    const { name, tag } = parseName(reference, 'name');
    const template = templates.findOrAdd(team, { kind: 'template', alias: name, sourceSandboxId: undefined });
    const { cpuCount = DEFAULT_SIZE.cpuCount, memoryMB = DEFAULT_SIZE.memoryMB } = body;
    const tags = tag === undefined ? body.tags : [...body.tags, tag];
    return { template, build: templates.addBuild(template, { ...DEFAULT_SIZE, cpuCount, memoryMB }, tags) };
  };

  return [
    route('get', '/templates', ({ team }) => ({
      status: 200,
      body: templates.list(team, 'template').map(viewTemplate),
    })),
    route('get', '/v2/templates', ({ team, query }) => {
      const all = templates.list(team, 'template');
      const page = paginate(all, each => position(each, each.templateId), parseQuery(listQuery, query));
      return { status: 200, headers: page.headers, body: page.items.map(viewTemplate) };
    }),
    route('post', '/v3/templates', ({ team, body }) => {
      const { template, build } = request(team, parseBody(schemas.newTemplate, body));
      const { templateID, names, aliases } = viewTemplate(template);
      const { buildId, tags } = build;
      return { status: 202, body: { templateID, buildID: buildId, public: template.public, names, aliases, tags } };
    }),
    route('post', '/v2/templates', ({ team, body }) => {
      const { template } = request(team, parseBody(schemas.newTemplate, body));
      return { status: 202, body: viewTemplate(template) };
    }),
    route('get', '/templates/aliases/:alias', ({ team, param }) => {
      const template = templates.find(team, param('alias'));
      return { status: 200, body: { templateID: template.templateId, public: template.public } };
    }),
    route('post', '/templates/tags', ({ team, body }) => {
      const { target, tags } = parseBody(schemas.assignTags, body);
      templates.findOwn(team, target);
      const { template, build } = templates.findBuild(team, target);
      for (const tag of tags) templates.tag(template, tag, build.buildId);
      return { status: 201, body: { tags, buildID: build.buildId } };
    }),
    route('delete', '/templates/tags', ({ team, body }) => {
      const { name, tags } = parseBody(schemas.deleteTags, body);
      const template = templates.findOwn(team, name);
      if (tags.includes(DEFAULT_TAG)) throw new ApiError(400, `Cannot delete the '${DEFAULT_TAG}' tag`);
      for (const tag of tags) template.tags.delete(tag);
      return { status: 204 };
    }),
    route('get', '/templates/:templateID', call => {
      const template = find(call);
      const page = paginate(template.builds, each => position(each, each.buildId), parseQuery(listQuery, call.query));
      return { status: 200, headers: page.headers, body: viewWithBuilds(template, page.items) };
    }),
    route('delete', '/templates/:templateID', async call => {
      const template = findOwn(call);
      const inUse = cloud
        .ofTeam(call.team.teamId)
        .some(each => each.state === 'paused' && each.spec.templateId === template.templateId);
      if (inUse) {
        const message = `cannot delete template '${template.templateId}' because there are paused sandboxes using it`;
        throw new ApiError(400, message);
      }
      await templates.remove(template);
      return { status: 204 };
    }),
    route('patch', '/templates/:templateID', call => {
      update(call);
      return { status: 200 };
    }),
    route('patch', '/v2/templates/:templateID', call => ({ status: 200, body: { names: fullNames(update(call)) } })),
    route('get', '/templates/:templateID/tags', call => ({ status: 200, body: viewTags(find(call)) })),
    // Files of a build are never needed: no step runs.
    route('get', '/templates/:templateID/files/:hash', call => {
      findOwn(call);
      return { status: 201, body: { present: true } };
    }),
    route('post', '/v2/templates/:templateID/builds/:buildID', async call => {
      const body = parseBody(schemas.startBuild, call.body);
      const template = findOwn(call);
      const build = findBuild(template, call);
      if (build.status === 'ready') throw new ApiError(400, 'build is not in waiting state');
      const from =
        body.fromTemplate === undefined ? undefined : templates.findBuild(call.team, body.fromTemplate).build;
      const content = await from?.content?.copy({ sandboxId: newId(20), envVars: {}, volumeMounts: [] });
      templates.finish(
        template,
        build,
        content,
        `Build finished. Local mode ran none of its ${body.steps.length} steps.`,
      );
      return { status: 202 };
    }),
    route('get', '/templates/:templateID/builds/:buildID/status', call => {
      const { logsOffset, limit } = parseQuery(statusQuery, call.query);
      const template = find(call);
      const build = findBuild(template, call);
      const logEntries = viewLogs(build).slice(logsOffset, logsOffset + limit);
      const { templateId: templateID } = template;
      const logs = logEntries.map(entry => entry.message);
      return { status: 200, body: { templateID, buildID: build.buildId, status: build.status, logs, logEntries } };
    }),
    route('get', '/templates/:templateID/builds/:buildID/logs', call => ({
      status: 200,
      body: { logs: viewLogs(findBuild(find(call), call)) },
    })),
  ];
}

const iso = (timeMs: number): string => new Date(timeMs).toISOString();

const viewLogs = (build: Build) =>
  build.logs.map(({ timestampMs, message }) => ({ timestamp: iso(timestampMs), level: 'info', message }));

const viewTags = (template: Template) =>
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

function viewTemplate(template: Template) {
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

function viewWithBuilds(template: Template, builds: readonly Build[]) {
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
