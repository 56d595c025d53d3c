// Templates and snapshots (which are templates too): the built-in ones and each team's, their builds and tags.
import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Machine } from '../cloud.ts';
import { newId } from '../ids.ts';
import type { Team } from './auth.ts';
import { type BuildDefaults, NO_DEFAULTS } from './build-steps.ts';
import { ApiError } from './errors.ts';
import { DEFAULT_TAG, parseName } from './template-name.ts';

export type BuildLog = {
  readonly timestampMs: number;
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
};

export type Build = {
  readonly buildId: string;
  status: 'waiting' | 'building' | 'ready' | 'error';
  /** Of a build that failed. */
  reason: { readonly message: string; readonly step: string } | undefined;
  readonly createdAtMs: number;
  updatedAtMs: number;
  readonly cpuCount: number;
  readonly memoryMB: number;
  readonly diskSizeMB: number;
  /** The tags to set once the build is ready. */
  readonly tags: readonly string[];
  /** What a sandbox of this build starts with; owned by the store. Undefined: an empty machine. */
  content: Machine | undefined;
  defaults: BuildDefaults;
  readonly logs: BuildLog[];
};

export type Template = {
  readonly templateId: string;
  /** Undefined: built in, all may use it, none may change it. */
  readonly team: Team | undefined;
  readonly kind: 'template' | 'snapshot';
  /** A snapshot's. */
  readonly sourceSandboxId: string | undefined;
  alias: string | undefined;
  public: boolean;
  readonly createdAtMs: number;
  updatedAtMs: number;
  lastSpawnedAtMs: number | undefined;
  spawnCount: number;
  readonly builds: Build[];
  readonly tags: Map<string, { buildId: string; createdAtMs: number }>;
};

export type NewTemplate = Pick<Template, 'kind' | 'alias' | 'sourceSandboxId'>;
export type Size = Pick<Build, 'cpuCount' | 'memoryMB' | 'diskSizeMB'>;

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
      visible.find(template => namespace === undefined && template.templateId === name) ??
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
    const buildId = template.tags.get(tag)?.buildId ?? tag;
    const build = template.builds.find(each => each.buildId === buildId);
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
    const nowMs = this.#clock.now();
    const build: Build = {
      ...size,
      buildId: randomUUID(),
      status: 'waiting',
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
      tags: tags.length === 0 ? [DEFAULT_TAG] : tags,
      reason: undefined,
      content: undefined,
      defaults: NO_DEFAULTS,
      logs: [],
    };
    template.builds.unshift(build);
    return build;
  }

  /** The build is ready: its tags point to it from now on. The store owns `content`. */
  finish(template: Template, build: Build, content: Machine | undefined, message: string): void {
    const nowMs = this.#clock.now();
    build.status = 'ready';
    build.content = content;
    build.updatedAtMs = nowMs;
    this.log(build, message);
    for (const tag of build.tags) this.tag(template, tag, build.buildId);
  }

  fail(build: Build, reason: NonNullable<Build['reason']>): void {
    this.log(build, reason.message, 'error');
    Object.assign(build, { status: 'error', reason, updatedAtMs: this.#clock.now() });
  }

  log(build: Build, message: string, level: BuildLog['level'] = 'info'): void {
    build.logs.push({ timestampMs: this.#clock.now(), level, message });
    if (build.logs.length > MAX_BUILD_LOGS) build.logs.shift();
  }

  tag(template: Template, tag: string, buildId: string): void {
    const nowMs = this.#clock.now();
    template.tags.set(tag, { buildId, createdAtMs: nowMs });
    template.updatedAtMs = nowMs;
  }

  spawned(template: Template): void {
    template.lastSpawnedAtMs = this.#clock.now();
    template.spawnCount += 1;
  }

  async remove(template: Template): Promise<void> {
    this.#templates.delete(template.templateId);
    await Promise.all(template.builds.map(build => build.content?.close()));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#templates.values()].map(template => this.remove(template)));
  }

  #addBuiltIn(templateId: string, alias: string, size: Size = DEFAULT_SIZE): void {
    const template = this.#add(undefined, { kind: 'template', alias, sourceSandboxId: undefined }, templateId);
    template.public = true;
    this.finish(template, this.addBuild(template, size, []), undefined, 'Built in');
  }

  #add(team: Team | undefined, options: NewTemplate, templateId = newId(20)): Template {
    const nowMs = this.#clock.now();
    const template: Template = {
      ...options,
      templateId,
      team,
      public: false,
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
      lastSpawnedAtMs: undefined,
      spawnCount: 0,
      builds: [],
      tags: new Map(),
    };
    this.#templates.set(templateId, template);
    return template;
  }
}

function owns(team: Team, template: Template): boolean {
  return template.team?.teamId === team.teamId;
}

/** With the namespace, as answers name a template; none for a template without a name. */
export function fullNames(template: Template): string[] {
  if (template.alias === undefined) return [];
  return [template.team === undefined ? template.alias : `${template.team.slug}/${template.alias}`];
}
