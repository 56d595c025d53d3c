// Templates and snapshots (which are templates too): the built-in ones and each team's, their names, builds and tags.
import { randomUUID } from 'node:crypto';
import type { components } from 'e2b';
import type { Machine } from '../cloud.ts';
import { newId } from '../sandbox.ts';
import type { Clock } from '../time.ts';
import { type BuildDefaults, NO_DEFAULTS } from './build-steps.ts';
import type { Team } from './team.ts';
import { ApiError } from './team.ts';
import { ENVD_VERSION } from './views.ts';

type Schemas = components['schemas'];

/** As the API shows it, and what it does not show. */
export type Build = Schemas['TemplateBuild'] &
  Size & {
    /** Of a build that failed. */
    reason: { readonly message: string; readonly step: string } | undefined;
    /** The tags to set once the build is ready. */
    readonly tags: readonly string[];
    /** What a sandbox of this build starts with; owned by the store. Undefined: an empty machine. */
    content: Machine | undefined;
    defaults: BuildDefaults;
    readonly logs: Schemas['BuildLogEntry'][];
  };

/** As the API shows it, and what it does not show. */
export type Template = Omit<Schemas['TemplateWithBuilds'], 'builds'> & {
  /** Undefined: built in, all may use it, none may change it. */
  readonly team: Team | undefined;
  readonly kind: 'template' | 'snapshot';
  readonly alias: string | undefined;
  /** A snapshot's. */
  readonly sourceSandboxId: string | undefined;
  /** The newest first. */
  readonly builds: Build[];
  readonly tags: Map<string, Schemas['TemplateTag']>;
};

export type NewTemplate = Pick<Template, 'kind' | 'alias' | 'sourceSandboxId'>;
export type Size = { readonly cpuCount: number; readonly memoryMB: number; readonly diskSizeMB: number };

export const DEFAULT_SIZE: Size = { cpuCount: 2, memoryMB: 512, diskSizeMB: 22_528 };

export const DEFAULT_TAG = 'default';
const MAX_BUILD_LOGS = 5_000;

export class TemplateStore {
  readonly #clock: Clock;
  readonly #templates = new Map<string, Template>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#addBuiltIn('rki5dems9wqfm4r03t7g', 'base');
    this.#addBuiltIn('nlhz8vlwyupq845jsdg9', 'code-interpreter-v1', { ...DEFAULT_SIZE, memoryMB: 1024 });
  }

  /** The team's own and the built-in templates, or the team's snapshots. */
  list(team: Team, kind: Template['kind']): Template[] {
    return this.#all().filter(each => each.kind === kind && (each.team === undefined || owns(team, each)));
  }

  /**
   * By id or name; a tag in the reference is not looked at.
   * @throws ApiError 400, 404 (also for what another team keeps to itself)
   */
  find(team: Team, reference: string): Template {
    const { namespace, name } = parseName(reference);
    const visible = this.#all().filter(template => owns(team, template) || template.public);
    const named = visible.filter(({ alias }) => alias === name);
    const found =
      namespace === undefined
        ? (visible.find(({ templateID }) => templateID === name) ??
          named.find(template => owns(team, template)) ??
          named.find(template => template.team === undefined))
        : named.find(template => template.team?.slug === namespace);
    if (found === undefined) throw new ApiError(404, `template '${reference}' not found`);
    return found;
  }

  /** As find, and the team may change it. @throws ApiError also 403 */
  findOwn(team: Team, reference: string): Template {
    const template = this.find(team, reference);
    if (!owns(team, template)) {
      throw new ApiError(403, `You don't have access to sandbox template '${reference}'`);
    }
    return template;
  }

  /** The build a reference names, by tag or by its own id, else the default tag's. @throws ApiError 400, 404 */
  findBuild(team: Team, reference: string): { template: Template; build: Build } {
    const template = this.find(team, reference);
    const tag = parseName(reference).tag ?? DEFAULT_TAG;
    const buildID = template.tags.get(tag)?.buildID ?? tag;
    const build = template.builds.find(each => each.buildID === buildID);
    if (build === undefined) throw new ApiError(404, `template '${reference}' with tag '${tag}' not found`);
    return { template, build };
  }

  /** The team's template of that name, or a new one. */
  findOrAdd(team: Team, options: NewTemplate): Template {
    const { alias } = options;
    const existing = this.#all().find(each => alias !== undefined && each.alias === alias && owns(team, each));
    return existing ?? this.#add(team, options);
  }

  addBuild(template: Template, size: Size, tags: readonly string[]): Build {
    const createdAt = this.#now();
    const build: Build = {
      ...{ buildID: randomUUID(), status: 'waiting', createdAt, updatedAt: createdAt, envdVersion: ENVD_VERSION },
      ...size,
      tags: tags.length === 0 ? [DEFAULT_TAG] : tags,
      ...{ reason: undefined, content: undefined, defaults: NO_DEFAULTS, logs: [] },
    };
    template.builds.unshift(build);
    return build;
  }

  /** The build is ready: its tags point to it from now on. The store owns `content`. */
  finish(template: Template, build: Build, content: Machine | undefined, message: string): void {
    const finishedAt = this.#now();
    Object.assign(build, { status: 'ready', content, finishedAt, updatedAt: finishedAt });
    this.log(build, message);
    for (const tag of build.tags) this.tag(template, tag, build.buildID);
  }

  fail(build: Build, reason: NonNullable<Build['reason']>): void {
    this.log(build, reason.message, 'error');
    Object.assign(build, { status: 'error', reason, updatedAt: this.#now() });
  }

  log(build: Build, message: string, level: 'info' | 'warn' | 'error' = 'info'): void {
    build.logs.push({ timestamp: this.#now(), level, message });
    if (build.logs.length > MAX_BUILD_LOGS) build.logs.shift();
  }

  tag(template: Template, tag: string, buildID: string): void {
    template.updatedAt = this.#now();
    template.tags.set(tag, { tag, buildID, createdAt: template.updatedAt });
  }

  spawned(template: Template): void {
    template.lastSpawnedAt = this.#now();
    template.spawnCount += 1;
  }

  async remove(template: Template): Promise<void> {
    this.#templates.delete(template.templateID);
    await Promise.all(template.builds.map(build => build.content?.close()));
  }

  async close(): Promise<void> {
    await Promise.all(this.#all().map(template => this.remove(template)));
  }

  #all(): Template[] {
    return [...this.#templates.values()];
  }

  #addBuiltIn(templateID: string, alias: string, size: Size = DEFAULT_SIZE): void {
    const template = this.#add(undefined, { kind: 'template', alias, sourceSandboxId: undefined }, templateID);
    template.public = true;
    this.finish(template, this.addBuild(template, size, []), undefined, 'Built in');
  }

  #add(team: Team | undefined, options: NewTemplate, templateID = newId(20)): Template {
    const createdAt = this.#now();
    const { alias } = options;
    const template: Template = {
      ...options,
      ...{ templateID, team, public: false, createdAt, updatedAt: createdAt, lastSpawnedAt: null, spawnCount: 0 },
      aliases: alias === undefined ? [] : [alias],
      // With the namespace.
      names: alias === undefined ? [] : [team === undefined ? alias : `${team.slug}/${alias}`],
      builds: [],
      tags: new Map(),
    };
    this.#templates.set(templateID, template);
    return template;
  }

  #now(): string {
    return new Date(this.#clock.now()).toISOString();
  }
}

function owns(team: Team, template: Template): boolean {
  return template.team?.teamId === team.teamId;
}

export const isUuid = (text: string): boolean =>
  /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/.test(text);

/** Tags in lower case, trimmed, each once. @throws ApiError 400 */
export function parseTags(tags: readonly string[]): string[] {
  const cleaned = tags.map(tag => {
    const clean = tag.trim().toLowerCase();
    if (!/^[a-z0-9_.-]+$/.test(clean))
      throw new ApiError(400, `Invalid tag: invalid tag '${tag}': invalid tag: ${tag}`);
    if (isUuid(clean)) throw new ApiError(400, `Invalid tag: invalid tag '${tag}': tag cannot be a UUID`);
    return clean;
  });
  return [...new Set(cleaned)];
}

/** `[namespace/]name[:tag]`. @throws ApiError 400 */
export function parseName(text: string, what = 'template reference') {
  const match = /^(?:([a-z0-9_-]+)\/)?([a-z0-9_-]+)(?::([a-z0-9_.-]+))?$/.exec(text.trim().toLowerCase());
  if (match === null) {
    throw new ApiError(400, `Invalid ${what}: '${text}' is not of the form [namespace/]name[:tag]`);
  }
  return { namespace: match[1], name: match[2] ?? '', tag: match[3] };
}
