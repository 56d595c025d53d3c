// Templates and snapshots (which are templates too): the built-in ones and each team's, their builds and tags.
import { randomUUID } from 'node:crypto';
import type { components } from 'e2b';
import type { Clock } from '../clock.ts';
import type { Machine } from '../cloud.ts';
import { newId } from '../ids.ts';
import type { Team } from './auth.ts';
import { type BuildDefaults, NO_DEFAULTS } from './build-steps.ts';
import { ApiError } from './errors.ts';
import { DEFAULT_TAG, parseName } from './template-name.ts';
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
    return [...this.#templates.values()].filter(
      template => template.kind === kind && (template.team === undefined || owns(team, template)),
    );
  }

  /**
   * By id or name; a tag in the reference is not looked at.
   * @throws ApiError 400, 404 (also for what another team keeps to itself)
   */
  find(team: Team, reference: string): Template {
    const { namespace, name } = parseName(reference);
    const visible = [...this.#templates.values()].filter(
      template => owns(team, template) || template.public || template.team === undefined,
    );
    const found =
      visible.find(template => namespace === undefined && template.templateID === name) ??
      visible.find(
        ({ alias, team: owner }) =>
          alias === name && (namespace === undefined ? owner?.teamId === team.teamId : owner?.slug === namespace),
      ) ??
      visible.find(({ alias, team: owner }) => owner === undefined && namespace === undefined && alias === name);
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
    const existing = [...this.#templates.values()].find(
      template => alias !== undefined && template.alias === alias && owns(team, template),
    );
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
    await Promise.all([...this.#templates.values()].map(template => this.remove(template)));
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
