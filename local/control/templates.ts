// Templates over HTTP: listing, aliases, tags, and builds, whose steps run in a machine of their own.
import { z } from 'zod';
import type { Cloud, MachineOptions } from '../cloud.ts';
import { newSandboxId } from '../ids.ts';
import { isDataMachine } from '../machine/machine.ts';
import type { BuildFiles } from './build-files.ts';
import { BuildFailure, NO_DEFAULTS, runBuild } from './build-steps.ts';
import { ApiError } from './errors.ts';
import { pageQuery, paginate } from './page.ts';
import { type Call, parseBody, parseQuery, queryInt, type Route, route } from './route.ts';
import * as schemas from './schemas.ts';
import { DEFAULT_TAG, isUuid, parseName, parseTags } from './template-name.ts';
import { type Build, DEFAULT_SIZE, fullNames, type Template, type TemplateStore } from './template-store.ts';
import { viewLogs, viewTags, viewTemplate, viewWithBuilds } from './template-views.ts';

type Parts = { readonly cloud: Cloud; readonly templates: TemplateStore; readonly files: BuildFiles };

const listQuery = z.object({ ...pageQuery, teamID: z.string().optional() });
const statusQuery = z.object({ logsOffset: queryInt(0).default(0), limit: queryInt(0, 100).default(100) });

export function templateRoutes(parts: Parts): Route[] {
  const { cloud, templates, files } = parts;
  /** Any the team may use. @throws ApiError */
  const find = ({ team, param }: Call): Template => templates.find(team, param('templateID'));
  /** One the team may change. @throws ApiError */
  const findOwn = ({ team, param }: Call): Template => templates.findOwn(team, param('templateID'));
  const change = (call: Call): Template => {
    const body = parseBody(schemas.updateTemplate, call.body);
    const template = findOwn(call);
    template.public = body.public ?? template.public;
    return template;
  };
  const listOf = ({ team, query: raw }: Call) => {
    const query = parseQuery(listQuery, raw);
    if (![undefined, '', team.teamId].includes(query.teamID)) {
      throw new ApiError(400, `Team ID param mismatch with the API key: ${query.teamID}`);
    }
    return { all: templates.list(team, 'template'), query };
  };
  return [
    route('get', '/templates', 200, call => listOf(call).all.map(viewTemplate)),
    route('get', '/v2/templates', 200, call => {
      const { all, query } = listOf(call);
      return paginate(all, each => position(each, each.templateId), query, call.res).map(viewTemplate);
    }),
    route('post', '/v3/templates', 202, call => {
      const { template, build } = add(templates, call);
      const { templateID, names, aliases } = viewTemplate(template);
      return { templateID, buildID: build.buildId, public: template.public, names, aliases, tags: build.tags };
    }),
    route('post', '/v2/templates', 202, call => viewTemplate(add(templates, call).template)),
    route('get', '/templates/aliases/:alias', 200, ({ team, param }) => {
      const template = templates.find(team, param('alias'));
      return { templateID: template.templateId, public: template.public };
    }),
    route('post', '/templates/tags', 201, ({ team, body }) => {
      const { target, tags: given } = parseBody(schemas.assignTags, body);
      const tags = parseTags(given);
      templates.findOwn(team, target);
      const { template, build } = templates.findBuild(team, target);
      for (const tag of tags) templates.tag(template, tag, build.buildId);
      return { tags, buildID: build.buildId };
    }),
    route('delete', '/templates/tags', 204, ({ team, body }) => {
      const { name, tags: given } = parseBody(schemas.deleteTags, body);
      const tags = parseTags(given);
      const template = templates.findOwn(team, name);
      if (tags.includes(DEFAULT_TAG)) throw new ApiError(400, `Cannot delete the '${DEFAULT_TAG}' tag`);
      for (const tag of tags) template.tags.delete(tag);
    }),
    route('get', '/templates/:templateID', 200, call => {
      const template = find(call);
      const query = parseQuery(listQuery, call.query);
      const builds = paginate(template.builds, each => position(each, each.buildId), query, call.res);
      return viewWithBuilds(template, builds);
    }),
    route('delete', '/templates/:templateID', 204, call => {
      const template = findOwn(call);
      const { templateId } = template;
      const uses = cloud.ofTeam(call.team.teamId).filter(({ spec }) => spec.templateId === templateId);
      if (uses.some(each => each.state === 'paused')) {
        const message = `cannot delete template '${templateId}' because there are paused sandboxes using it`;
        throw new ApiError(400, message);
      }
      return templates.remove(template);
    }),
    route('patch', '/templates/:templateID', 200, call => void change(call)),
    route('patch', '/v2/templates/:templateID', 200, call => ({ names: fullNames(change(call)) })),
    route('get', '/templates/:templateID/tags', 200, call => viewTags(find(call))),
    route('get', '/templates/:templateID/files/:hash', 201, ({ team, param, origin }) => {
      templates.findOwn(team, param('templateID'));
      const hash = param('hash');
      if (files.find(team.teamId, hash) !== undefined) return { present: true };
      return { present: false, url: `${origin}/template-files/${files.expect(team.teamId, hash)}` };
    }),
    route('post', '/v2/templates/:templateID/builds/:buildID', 202, call =>
      startBuild(parts, findBuild(call, findOwn), call),
    ),
    route('get', '/templates/:templateID/builds/:buildID/status', 200, call => {
      const { logsOffset, limit } = parseQuery(statusQuery, call.query);
      const { template, build } = findBuild(call, find);
      const logEntries = viewLogs(build).slice(logsOffset, logsOffset + limit);
      const { buildId: buildID, status } = build;
      const reason = build.reason && { ...build.reason, logEntries: [] };
      const logs = logEntries.map(entry => entry.message);
      return { templateID: template.templateId, buildID, status, logs, logEntries, reason };
    }),
    route('get', '/templates/:templateID/builds/:buildID/logs', 200, call => ({
      logs: viewLogs(findBuild(call, find).build),
    })),
  ];
}

/** `find` gives the template. @throws ApiError 400, 404 */
function findBuild(call: Call, find: (call: Call) => Template): { template: Template; build: Build } {
  const buildId = call.param('buildID');
  if (!isUuid(buildId)) throw new ApiError(400, 'Invalid build ID');
  const template = find(call);
  const build = template.builds.find(each => each.buildId === buildId);
  if (build === undefined) throw new ApiError(404, `Build '${buildId}' not found`);
  return { template, build };
}

const position = (each: { createdAtMs: number }, id: string) => ({ timeMs: each.createdAtMs, id });

/** A new build, of a new template if the name is new. */
function add(templates: TemplateStore, call: Call): { template: Template; build: Build } {
  const body = parseBody(schemas.newTemplate, call.body);
  const reference = body.name ?? body.alias;
  if (!reference) throw new ApiError(400, 'Name is required');
  const { name, tag } = parseName(reference, 'name');
  const template = templates.findOrAdd(call.team, { kind: 'template', alias: name, sourceSandboxId: undefined });
  const { cpuCount = DEFAULT_SIZE.cpuCount, memoryMB = DEFAULT_SIZE.memoryMB } = body;
  const tags = parseTags(tag === undefined ? body.tags : [...body.tags, tag]);
  return { template, build: templates.addBuild(template, { ...DEFAULT_SIZE, cpuCount, memoryMB }, tags) };
}

function startBuild(
  { templates, cloud, files }: Parts,
  { template, build }: { readonly template: Template; readonly build: Build },
  call: Call,
): void {
  const { fromTemplate, fromImage, ...plan } = parseBody(schemas.startBuild, call.body);
  if (build.status !== 'waiting') throw new ApiError(400, 'build is not in waiting state');
  const from = fromTemplate === undefined ? undefined : templates.findBuild(call.team, fromTemplate).build;
  build.status = 'building';
  if (fromImage !== undefined && !/^e2bdev\//.test(fromImage)) {
    const message = `local mode has no images: the steps run on its own base instead of ${fromImage}`;
    templates.log(build, message, 'warn');
  }
  const work = async (): Promise<void> => {
    const blank: MachineOptions = { sandboxId: newSandboxId(), templateId: '', envVars: {}, volumeMounts: [] };
    const machine = await (from?.content?.copy(blank) ?? cloud.makeMachine(blank));
    try {
      if (isDataMachine(machine)) {
        build.defaults = await runBuild(machine, plan, from?.defaults ?? NO_DEFAULTS, {
          log: (message, level) => templates.log(build, message, level),
          archive: hash => files.find(call.team.teamId, hash),
        });
        await machine.freeze({ keepMemory: false });
      }
      templates.finish(template, build, machine, 'Build finished');
    } catch (caught) {
      await machine.close();
      throw caught;
    }
  };
  work().catch((caught: unknown) => {
    const step = caught instanceof BuildFailure ? caught.step : 'base';
    templates.fail(build, { step, message: caught instanceof Error ? caught.message : 'the build failed' });
  });
}
