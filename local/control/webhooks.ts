// Webhooks of each team: registering them, and deliveries of lifecycle events, signed as E2B signs them. Local mode
// delivers to this machine only: an address elsewhere is taken, and each delivery to it is left out with a warning.
import { createHash, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { isLoopback } from '../host-name.ts';
import { ApiError } from './errors.ts';
import { EVENT_TYPES, type ShownEvent } from './events.ts';
import { type Call, parseBody, type Route, route } from './route.ts';

type Webhook = {
  readonly id: string;
  readonly teamId: string;
  readonly createdAt: string;
  name: string;
  enabled: boolean;
  url: string;
  events: string[];
  /** Never shown. */
  signatureSecret: string;
};

const DELIVERY_TIMEOUT_MS = 10_000;
const MAX_WEBHOOKS = 100;
/** More than this many under way: the newest is left out. */
const MAX_DELIVERIES = 100;

const fields = {
  name: z.string().min(1),
  url: z.url({ protocol: /^https?$/ }),
  enabled: z.boolean(),
  events: z.array(z.enum(EVENT_TYPES)).min(1),
  signatureSecret: z.string().min(1),
};
const newWebhook = z.object({ ...fields, enabled: fields.enabled.default(true) });
const changedWebhook = z.object(fields).partial();

export class WebhookStore {
  readonly #webhooks = new Map<string, Webhook>();
  readonly #warn: (message: string) => void;
  readonly #closed = new AbortController();
  #delivering = 0;

  constructor(warn: (message: string) => void) {
    this.#warn = warn;
  }

  ofTeam(teamId: string): Webhook[] {
    return [...this.#webhooks.values()].filter(webhook => webhook.teamId === teamId);
  }

  /** @throws ApiError 404 */
  get(teamId: string, id: string): Webhook {
    const webhook = this.#webhooks.get(id);
    if (webhook?.teamId !== teamId) throw new ApiError(404, `Webhook '${id}' not found`);
    return webhook;
  }

  /** @throws ApiError 400 when the team has too many */
  add(teamId: string, given: z.output<typeof newWebhook>, nowMs: number): Webhook {
    if (this.ofTeam(teamId).length >= MAX_WEBHOOKS) throw new ApiError(400, `more than ${MAX_WEBHOOKS} webhooks`);
    const webhook = { ...given, id: randomUUID(), teamId, createdAt: new Date(nowMs).toISOString() };
    this.#webhooks.set(webhook.id, webhook);
    return webhook;
  }

  remove(webhook: Webhook): void {
    this.#webhooks.delete(webhook.id);
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
    const { hostname } = new URL(url);
    const bare = hostname.replace(/^\[|\]$/g, '');
    if (!isLoopback(bare) && !bare.endsWith('.localhost')) {
      this.#warn(`webhook ${name}: local mode delivers to this machine only, so ${event.type} was not sent`);
      return;
    }
    if (this.#delivering >= MAX_DELIVERIES) {
      this.#warn(`webhook ${name}: too many deliveries at once, so ${event.type} was not sent`);
      return;
    }
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

const view = ({ signatureSecret: _, ...shown }: Webhook) => shown;

export function webhookRoutes(webhooks: WebhookStore, now: () => number): Route[] {
  const find = ({ team, param }: Call): Webhook => webhooks.get(team.teamId, param('webhookID'));
  return [
    route('get', '/events/webhooks', 200, ({ team }) => webhooks.ofTeam(team.teamId).map(view)),
    route('post', '/events/webhooks', 201, ({ team, body }) =>
      view(webhooks.add(team.teamId, parseBody(newWebhook, body), now())),
    ),
    route('get', '/events/webhooks/:webhookID', 200, call => view(find(call))),
    route('patch', '/events/webhooks/:webhookID', 200, call => {
      const changes = parseBody(changedWebhook, call.body);
      return view(Object.assign(find(call), changes));
    }),
    route('delete', '/events/webhooks/:webhookID', 200, call => webhooks.remove(find(call))),
  ];
}
