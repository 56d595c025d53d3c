// Lifecycle events: what happened to the team's sandboxes, newest first, for seven days; and the webhooks that they are
// delivered to, signed as E2B signs them. Local mode delivers to this machine only: an address elsewhere is taken, and
// each delivery to it is left out with a warning.
import { createHash, randomUUID } from 'node:crypto';
import { isLoopbackHostname } from '../../src/ground/loopback.ts';
import type { Cloud, LifecycleEvent } from '../cloud.ts';
import type { Call } from './operation.ts';
import { ApiError, shortId, TeamStore } from './team.ts';

const KEPT_MS = 7 * 24 * 3_600_000;
/** Of all teams together; the oldest go first. */
const MAX_EVENTS = 10_000;

type ShownEvent = ReturnType<typeof view>;

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

export function eventHandlers(cloud: Cloud, onEvent: (event: ShownEvent) => void) {
  const events: ShownEvent[] = [];
  cloud.onLifecycle(event => {
    const shown = view(event, cloud.clock.now());
    events.push(shown);
    if (events.length > MAX_EVENTS) events.shift();
    onEvent(shown);
  });
  const list = ({ team, query: { offset, limit, orderAsc, types } }: Call<EventQuery>, sandboxId?: string) => {
    const oldest = cloud.clock.now() - KEPT_MS;
    const matching = events
      .filter(event => event.sandboxTeamId === team.teamId && Date.parse(event.timestamp) >= oldest)
      .filter(event => sandboxId === undefined || event.sandboxId === sandboxId)
      .filter(event => types === undefined || types.includes(event.type));
    return (orderAsc ? matching : matching.reverse()).slice(offset, offset + limit);
  };
  return {
    'GET /events/sandboxes': (call: Call<EventQuery>) => list(call),
    'GET /events/sandboxes/{sandboxID}': (call: Call<EventQuery>) => list(call, shortId(call.param('sandboxID'))),
  };
}

type NewWebhook = {
  readonly name: string;
  readonly enabled: boolean;
  readonly url: string;
  readonly events: readonly string[];
  /** Never shown. */
  readonly signatureSecret: string;
};
type Webhook = NewWebhook & { readonly id: string; readonly teamId: string; readonly createdAt: string };

const DELIVERY_TIMEOUT_MS = 10_000;
const MAX_WEBHOOKS = 100;
/** More than this many under way: the newest is left out. */
const MAX_DELIVERIES = 100;

export class WebhookStore extends TeamStore<Webhook> {
  readonly #warn: (message: string) => void;
  readonly #closed = new AbortController();
  #delivering = 0;

  constructor(warn: (message: string) => void) {
    super('Webhook');
    this.#warn = warn;
  }

  /** @throws ApiError 400 when the team has too many */
  add(teamId: string, given: NewWebhook, nowMs: number): Webhook {
    if (this.ofTeam(teamId).length >= MAX_WEBHOOKS) throw new ApiError(400, `more than ${MAX_WEBHOOKS} webhooks`);
    return this.save({ ...given, id: randomUUID(), teamId, createdAt: new Date(nowMs).toISOString() });
  }

  /** @throws ApiError 400 */
  save(webhook: Webhook): Webhook {
    const { name, url, signatureSecret } = webhook;
    if (name === '' || signatureSecret === '' || !/^https?:/i.test(url)) {
      throw new ApiError(400, 'a webhook needs a name, a secret and an address with http: or https:');
    }
    return this.set(webhook);
  }

  /** To all that want it. Deliveries run in the background, and none is repeated. */
  deliver(event: ShownEvent): void {
    for (const webhook of this.ofTeam(event.sandboxTeamId)) {
      if (webhook.enabled && webhook.events.includes(event.type)) void this.#send(webhook, event);
    }
  }

  close(): void {
    this.#closed.abort();
  }

  async #send({ id, url, signatureSecret, name }: Webhook, event: ShownEvent): Promise<void> {
    const leaveOut = (why: string): void => this.#warn(`webhook ${name}: ${why}, so ${event.type} was not sent`);
    if (!isLoopbackHostname(new URL(url).hostname)) return leaveOut('local mode delivers to this machine only');
    if (this.#delivering >= MAX_DELIVERIES) return leaveOut('too many deliveries at once');
    const body = JSON.stringify(event);
    this.#delivering += 1;
    try {
      const response = await fetch(url, {
        method: 'POST',
        redirect: 'manual',
        signal: AbortSignal.any([this.#closed.signal, AbortSignal.timeout(DELIVERY_TIMEOUT_MS)]),
        headers: {
          'content-type': 'application/json',
          'e2b-webhook-id': id,
          'e2b-delivery-id': randomUUID(),
          'e2b-signature-version': 'v1',
          'e2b-signature': createHash('sha256')
            .update(signatureSecret + body)
            .digest('base64url'),
        },
        body,
      });
      await response.body?.cancel();
    } catch {
      if (!this.#closed.signal.aborted) this.#warn(`webhook ${name}: ${event.type} could not be delivered`);
    } finally {
      this.#delivering -= 1;
    }
  }
}

const viewWebhook = ({ signatureSecret: _, ...shown }: Webhook) => shown;

export function webhookHandlers(webhooks: WebhookStore, now: () => number) {
  const find = ({ team, param }: Call): Webhook => webhooks.get(team.teamId, param('webhookID'));
  return {
    'GET /events/webhooks': ({ team }: Call) => webhooks.ofTeam(team.teamId).map(viewWebhook),
    'POST /events/webhooks': ({ team, body }: Call<unknown, NewWebhook>) =>
      viewWebhook(webhooks.add(team.teamId, body, now())),
    'GET /events/webhooks/{webhookID}': (call: Call) => viewWebhook(find(call)),
    'PATCH /events/webhooks/{webhookID}': (call: Call<unknown, Partial<NewWebhook>>) =>
      viewWebhook(webhooks.save({ ...find(call), ...call.body })),
    'DELETE /events/webhooks/{webhookID}': (call: Call) => webhooks.remove(find(call)),
  };
}
