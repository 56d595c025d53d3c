// Lifecycle events: what happened to the team's sandboxes, newest first, for seven days.
import { randomUUID } from 'node:crypto';
import type { Cloud, LifecycleEvent } from '../cloud.ts';
import { shortId } from './errors.ts';
import type { Call } from './operation.ts';

const KEPT_MS = 7 * 24 * 3_600_000;
/** Of all teams together; the oldest go first. */
const MAX_EVENTS = 10_000;

export type ShownEvent = ReturnType<typeof view>;

export class EventStore {
  #events: ShownEvent[] = [];
  readonly #cloud: Cloud;

  constructor(cloud: Cloud, onEvent: (event: ShownEvent) => void) {
    this.#cloud = cloud;
    cloud.onLifecycle(event => {
      const shown = view(event, cloud.clock.now());
      this.#events.push(shown);
      if (this.#events.length > MAX_EVENTS) this.#events.shift();
      onEvent(shown);
    });
  }

  ofTeam(teamId: string): ShownEvent[] {
    const oldest = this.#cloud.clock.now() - KEPT_MS;
    this.#events = this.#events.filter(({ timestamp }) => Date.parse(timestamp) >= oldest);
    return this.#events.filter(event => event.sandboxTeamId === teamId);
  }
}

function view({ kind, sandbox, data }: LifecycleEvent, nowMs: number) {
  return {
    version: 'v1',
    id: randomUUID(),
    type: `sandbox.lifecycle.${kind}`,
    eventData: data ?? null,
    sandboxId: sandbox.sandboxId,
    sandboxExecutionId: sandbox.executionId,
    sandboxBuildId: sandbox.spec.buildId,
    sandboxTemplateId: sandbox.spec.templateId,
    sandboxTeamId: sandbox.spec.teamId,
    timestamp: new Date(nowMs).toISOString(),
  };
}

type EventQuery = {
  readonly offset: number;
  readonly limit: number;
  readonly orderAsc: boolean;
  readonly types?: readonly string[];
};

export function eventHandlers(events: EventStore) {
  const list = ({ team, query: { offset, limit, orderAsc, types } }: Call<EventQuery>, sandboxId?: string) => {
    const matching = events
      .ofTeam(team.teamId)
      .filter(event => sandboxId === undefined || event.sandboxId === sandboxId)
      .filter(event => types === undefined || types.includes(event.type));
    const ordered = orderAsc ? matching : matching.reverse();
    return ordered.slice(offset, offset + limit);
  };
  return {
    'GET /events/sandboxes': (call: Call<EventQuery>) => list(call),
    'GET /events/sandboxes/{sandboxID}': (call: Call<EventQuery>) => list(call, shortId(call.param('sandboxID'))),
  };
}
