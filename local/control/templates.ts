// Templates over HTTP: listing, aliases, tags, and builds, whose steps run in a machine of their own.
import { z } from 'zod';
import type { Cloud, MachineOptions } from '../cloud.ts';
import { newSandboxId } from '../ids.ts';
import { isDataMachine } from '../machine/machine.ts';
import type { BuildFiles } from './build-files.ts';
import { BuildFailure, NO_DEFAULTS, runBuild } from './build-steps.ts';
import { ApiError } from './errors.ts';
import { pageQuery, paginate } from './page.ts';
import { type Answer, type Call, parseBody, parseQuery, queryInt, type Route, route } from './route.ts';
import * as schemas from './schemas.ts';
import { DEFAULT_TAG, parseName, parseTags } from './template-name.ts';
import { type Build, DEFAULT_SIZE, fullNames, type Template, type TemplateStore } from './template-store.ts';
import { viewLogs, viewTags, viewTemplate, viewWithBuilds } from './template-views.ts';

type Parts = { readonly cloud: Cloud; readonly templates: TemplateStore; readonly files: BuildFiles };
type Handler = (parts: Parts, call: Call) => Answer | Promise<Answer>;

const listQuery = z.object(pageQuery);
const statusQuery = z.object({ logsOffset: queryInt(0).default(0), limit: queryInt(0, 100).default(100) });

export function templateRoutes(parts: Parts): Route[] {
  const by =
    (handle: Handler): Route['handle'] =>
    call =>
      handle(parts, call);
  return [
    route('get', '/templates', by(list)),
    route('get', '/v2/templates', by(listPage)),
    route('post', '/v3/templates', by(request)),
    route('post', '/v2/templates', by(requestV2)),
    route('get', '/templates/aliases/:alias', by(showAlias)),
    route('post', '/templates/tags', by(assignTags)),
    route('delete', '/templates/tags', by(deleteTags)),
    route('get', '/templates/:templateID', by(show)),
    route('delete', '/templates/:templateID', by(remove)),
    route('patch', '/templates/:templateID', by(update)),
    route('patch', '/v2/templates/:templateID', by(updateV2)),
    route('get', '/templates/:templateID/tags', by(showTags)),
    route('get', '/templates/:templateID/files/:hash', by(showFiles)),
    route('post', '/v2/templates/:templateID/builds/:buildID', by(startBuild)),
    route('get', '/templates/:templateID/builds/:buildID/status', by(showStatus)),
    route('get', '/templates/:templateID/builds/:buildID/logs', by(showLogs)),
  ];
}

/** Any the team may use. @throws ApiError */
const find = ({ templates }: Parts, { team, param }: Call): Template => templates.find(team, param('templateID'));

/** One the team may change. @throws ApiError */
const findOwn = ({ templates }: Parts, { team, param }: Call): Template => templates.findOwn(team, param('templateID'));

function findBuild(template: Template, { param }: Call): Build {
  const build = template.builds.find(each => each.buildId === param('buildID'));
  if (build === undefined) throw new ApiError(404, `Build '${param('buildID')}' not found`);
  return build;
}

const position = (each: { createdAtMs: number }, id: string) => ({ timeMs: each.createdAtMs, id });

function list({ templates }: Parts, { team }: Call): Answer {
  return { status: 200, body: templates.list(team, 'template').map(viewTemplate) };
}

function listPage({ templates }: Parts, { team, query }: Call): Answer {
  const all = templates.list(team, 'template');
  const page = paginate(all, each => position(each, each.templateId), parseQuery(listQuery, query));
  return { status: 200, headers: page.headers, body: page.items.map(viewTemplate) };
}

function request(parts: Parts, call: Call): Answer {
  const { template, build } = add(parts, call);
  const { templateID, names, aliases } = viewTemplate(template);
  const { buildId, tags } = build;
  return { status: 202, body: { templateID, buildID: buildId, public: template.public, names, aliases, tags } };
}

function requestV2(parts: Parts, call: Call): Answer {
  return { status: 202, body: viewTemplate(add(parts, call).template) };
}

/** A new build, of a new template if the name is new. */
function add({ templates }: Parts, call: Call): { template: Template; build: Build } {
  const body = parseBody(schemas.newTemplate, call.body);
  const reference = body.name ?? body.alias;
  if (!reference) throw new ApiError(400, 'Name is required');
  const { name, tag } = parseName(reference, 'name');
  const template = templates.findOrAdd(call.team, { kind: 'template', alias: name, sourceSandboxId: undefined });
  const { cpuCount = DEFAULT_SIZE.cpuCount, memoryMB = DEFAULT_SIZE.memoryMB } = body;
  const tags = parseTags(tag === undefined ? body.tags : [...body.tags, tag]);
  return { template, build: templates.addBuild(template, { ...DEFAULT_SIZE, cpuCount, memoryMB }, tags) };
}

function showAlias({ templates }: Parts, { team, param }: Call): Answer {
  const template = templates.find(team, param('alias'));
  return { status: 200, body: { templateID: template.templateId, public: template.public } };
}

function assignTags({ templates }: Parts, { team, body }: Call): Answer {
  const { target, tags: given } = parseBody(schemas.assignTags, body);
  const tags = parseTags(given);
  templates.findOwn(team, target);
  const { template, build } = templates.findBuild(team, target);
  for (const tag of tags) templates.tag(template, tag, build.buildId);
  return { status: 201, body: { tags, buildID: build.buildId } };
}

function deleteTags({ templates }: Parts, { team, body }: Call): Answer {
  const { name, tags: given } = parseBody(schemas.deleteTags, body);
  const tags = parseTags(given);
  const template = templates.findOwn(team, name);
  if (tags.includes(DEFAULT_TAG)) throw new ApiError(400, `Cannot delete the '${DEFAULT_TAG}' tag`);
  for (const tag of tags) template.tags.delete(tag);
  return { status: 204 };
}

function showTags(parts: Parts, call: Call): Answer {
  return { status: 200, body: viewTags(find(parts, call)) };
}

function show(parts: Parts, call: Call): Answer {
  const template = find(parts, call);
  const page = paginate(template.builds, each => position(each, each.buildId), parseQuery(listQuery, call.query));
  return { status: 200, headers: page.headers, body: viewWithBuilds(template, page.items) };
}

async function remove(parts: Parts, call: Call): Promise<Answer> {
  const template = findOwn(parts, call);
  const inUse = parts.cloud
    .ofTeam(call.team.teamId)
    .some(each => each.state === 'paused' && each.spec.templateId === template.templateId);
  if (inUse) {
    const message = `cannot delete template '${template.templateId}' because there are paused sandboxes using it`;
    throw new ApiError(400, message);
  }
  await parts.templates.remove(template);
  return { status: 204 };
}

function update(parts: Parts, call: Call): Answer {
  change(parts, call);
  return { status: 200 };
}

function updateV2(parts: Parts, call: Call): Answer {
  return { status: 200, body: { names: fullNames(change(parts, call)) } };
}

function change(parts: Parts, call: Call): Template {
  const body = parseBody(schemas.updateTemplate, call.body);
  const template = findOwn(parts, call);
  template.public = body.public ?? template.public;
  return template;
}

function showFiles({ templates, files }: Parts, { team, param, origin }: Call): Answer {
  templates.findOwn(team, param('templateID'));
  const hash = param('hash');
  if (files.find(team.teamId, hash) !== undefined) return { status: 201, body: { present: true } };
  const url = `${origin}/template-files/${files.expect(team.teamId, hash)}`;
  return { status: 201, body: { present: false, url } };
}

async function startBuild(parts: Parts, call: Call): Promise<Answer> {
  const { templates, cloud, files } = parts;
  const { fromTemplate, fromImage, steps, startCmd, readyCmd } = parseBody(schemas.startBuild, call.body);
  const template = findOwn(parts, call);
  const build = findBuild(template, call);
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
      if (!isDataMachine(machine)) return templates.finish(template, build, machine, 'Build finished');
      build.defaults = await runBuild(machine, { steps, startCmd, readyCmd }, from?.defaults ?? NO_DEFAULTS, {
        log: (message, level) => templates.log(build, message, level),
        archive: hash => files.find(call.team.teamId, hash),
      });
      await machine.freeze({ keepMemory: false });
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
  return { status: 202 };
}

function showStatus(parts: Parts, call: Call): Answer {
  const { logsOffset, limit } = parseQuery(statusQuery, call.query);
  const template = find(parts, call);
  const build = findBuild(template, call);
  const logEntries = viewLogs(build).slice(logsOffset, logsOffset + limit);
  const { templateId: templateID } = template;
  const logs = logEntries.map(entry => entry.message);
  const { buildId: buildID, status, reason } = build;
  return {
    status: 200,
    body: { templateID, buildID, status, logs, logEntries, reason: reason && { ...reason, logEntries: [] } },
  };
}

function showLogs(parts: Parts, call: Call): Answer {
  return { status: 200, body: { logs: viewLogs(findBuild(find(parts, call), call)) } };
}
