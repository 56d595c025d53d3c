// Templates over HTTP: listing, aliases, tags, and builds, whose steps run in a machine of their own; and snapshots: a
// sandbox's machine copied into a template. Deleting one is deleting its template.
import type { components } from 'e2b';
import type { Cloud, MachineOptions } from '../cloud.ts';
import { isDataMachine } from '../machine/machine.ts';
import { newSandboxId } from '../sandbox.ts';
import type { BuildFiles } from './build-files.ts';
import { BuildFailure, NO_DEFAULTS, runBuild } from './build-steps.ts';
import type { Call, Handlers } from './operation.ts';
import { paginate } from './page.ts';
import type { Team } from './team.ts';
import { ApiError, findSandbox, shortId } from './team.ts';
import {
  type Build,
  DEFAULT_SIZE,
  DEFAULT_TAG,
  isUuid,
  parseName,
  parseTags,
  type Template,
  type TemplateStore,
} from './template-store.ts';
import { ENVD_VERSION } from './views.ts';

type Parts = { readonly cloud: Cloud; readonly templates: TemplateStore; readonly files: BuildFiles };
type New = components['schemas']['TemplateBuildRequestV3'];

export function templateHandlers(parts: Parts): Handlers {
  const { cloud, templates, files } = parts;
  /** Any the team may use. @throws ApiError */
  const find = ({ team, param }: Call): Template => templates.find(team, param('templateID'));
  /** One the team may change. @throws ApiError */
  const findOwn = ({ team, param }: Call): Template => templates.findOwn(team, param('templateID'));
  const change = (call: Call<unknown, { readonly public?: boolean }>): Template => {
    const template = findOwn(call);
    template.public = call.body.public ?? template.public;
    return template;
  };
  const listOf = ({ team, query }: Call<{ readonly teamID?: string }>): Template[] => {
    if (![undefined, '', team.teamId].includes(query.teamID)) {
      throw new ApiError(400, `Team ID param mismatch with the API key: ${query.teamID}`);
    }
    return templates.list(team, 'template');
  };
  return {
    'GET /templates': call => listOf(call).map(viewTemplate),
    'GET /v2/templates': call =>
      paginate(listOf(call), each => position(each, each.templateID), call).map(viewTemplate),
    'POST /v3/templates': call => {
      const { template, build } = add(templates, call);
      const { templateID, names, aliases } = viewTemplate(template);
      return { templateID, buildID: build.buildID, public: template.public, names, aliases, tags: build.tags };
    },
    // Older than the types of the SDK.
    ...{ 'POST /v2/templates': (call: Call<unknown, New>) => viewTemplate(add(templates, call).template) },
    'GET /templates/aliases/{alias}': ({ team, param }) => {
      const template = templates.find(team, param('alias'));
      return { templateID: template.templateID, public: template.public };
    },
    'POST /templates/tags': ({ team, body }) => {
      const tags = parseTags(body.tags);
      templates.findOwn(team, body.target);
      const { template, build } = templates.findBuild(team, body.target);
      for (const tag of tags) templates.tag(template, tag, build.buildID);
      return { tags, buildID: build.buildID };
    },
    'DELETE /templates/tags': ({ team, body }) => {
      const tags = parseTags(body.tags);
      const template = templates.findOwn(team, body.name);
      if (tags.includes(DEFAULT_TAG)) throw new ApiError(400, `Cannot delete the '${DEFAULT_TAG}' tag`);
      for (const tag of tags) template.tags.delete(tag);
    },
    'GET /templates/{templateID}': call => {
      const template = find(call);
      const page = paginate(template.builds, each => position(each, each.buildID), call);
      return viewWithBuilds(template, page);
    },
    'DELETE /templates/{templateID}': call => {
      const template = findOwn(call);
      const { templateID } = template;
      const uses = cloud.ofTeam(call.team.teamId).filter(({ spec }) => spec.templateId === templateID);
      if (uses.some(each => each.state === 'paused')) {
        const message = `cannot delete template '${templateID}' because there are paused sandboxes using it`;
        throw new ApiError(400, message);
      }
      return templates.remove(template);
    },
    'PATCH /templates/{templateID}': call => void change(call),
    'PATCH /v2/templates/{templateID}': call => ({ names: change(call).names }),
    'GET /templates/{templateID}/tags': call => [...find(call).tags.values()],
    'GET /templates/{templateID}/files/{hash}': call => {
      findOwn(call);
      const hash = call.param('hash');
      if (files.find(call.team.teamId, hash) !== undefined) return { present: true };
      return { present: false, url: `${call.origin}/template-files/${files.expect(call.team.teamId, hash)}` };
    },
    'POST /v2/templates/{templateID}/builds/{buildID}': call => startBuild(parts, findBuild(call, findOwn), call),
    'GET /templates/{templateID}/builds/{buildID}/status': call => {
      const { logsOffset = 0, limit = 0 } = call.query;
      const { template, build } = findBuild(call, find);
      const logEntries = build.logs.slice(logsOffset, logsOffset + limit);
      const { buildID, status } = build;
      const reason = build.reason && { ...build.reason, logEntries: [] };
      const logs = logEntries.map(entry => entry.message);
      return { templateID: template.templateID, buildID, status, logs, logEntries, reason };
    },
    'GET /templates/{templateID}/builds/{buildID}/logs': call => ({ logs: findBuild(call, find).build.logs }),
  };
}

type Pair = { readonly template: Template; readonly build: Build };

/** `find` gives the template. @throws ApiError 400, 404 */
function findBuild(call: Call, find: (call: Call) => Template): Pair {
  const buildId = call.param('buildID');
  if (!isUuid(buildId)) throw new ApiError(400, 'Invalid build ID');
  const template = find(call);
  const build = template.builds.find(each => each.buildID === buildId);
  if (build === undefined) throw new ApiError(404, `Build '${buildId}' not found`);
  return { template, build };
}

const position = ({ createdAt }: Template | Build, id: string) => ({ timeMs: Date.parse(createdAt), id });

/** A new build, of a new template if the name is new. */
function add(templates: TemplateStore, { team, body }: Call<unknown, New>): Pair {
  const reference = body.name ?? body.alias;
  if (!reference) throw new ApiError(400, 'Name is required');
  const { name, tag } = parseName(reference, 'name');
  const template = templates.findOrAdd(team, { kind: 'template', alias: name, sourceSandboxId: undefined });
  const { cpuCount = DEFAULT_SIZE.cpuCount, memoryMB = DEFAULT_SIZE.memoryMB } = body;
  const tags = parseTags([...(body.tags ?? []), ...(tag === undefined ? [] : [tag])]);
  return { template, build: templates.addBuild(template, { ...DEFAULT_SIZE, cpuCount, memoryMB }, tags) };
}

type Start = Call<unknown, components['schemas']['TemplateBuildStartV2']>;

function startBuild({ templates, cloud, files }: Parts, { template, build }: Pair, { team, body }: Start): void {
  const { fromTemplate, fromImage } = body;
  if (build.status !== 'waiting') throw new ApiError(400, 'build is not in waiting state');
  const from = fromTemplate === undefined ? undefined : templates.findBuild(team, fromTemplate).build;
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
        build.defaults = await runBuild(machine, body, from?.defaults ?? NO_DEFAULTS, {
          log: (message, level) => templates.log(build, message, level),
          archive: hash => files.find(team.teamId, hash),
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

const shown = ({ team: _1, kind: _2, alias: _3, sourceSandboxId: _4, builds: _5, tags: _6, ...rest }: Template) => rest;

function viewTemplate(template: Template) {
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

function viewWithBuilds(template: Template, page: readonly Build[]) {
  const builds = page.map(({ reason: _1, tags: _2, content: _3, defaults: _4, logs: _5, ...rest }) => rest);
  return { ...shown(template), builds };
}

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
