// Finds the client for a client_id: a registration with this gateway, a built-in document, or one that is fetched. Decides
// whether a callback may be used for that client.
import { GatewayError } from '../../errors.ts';
import type { Seal } from '../../ground/seal.ts';
import type { Logger } from '../../log.ts';
import { isDocumentUrl } from './client-document.ts';
import type { DocumentCache } from './document-cache.ts';
import { DocumentUnreachable } from './document-fetch.ts';
import { cleanName } from './names.ts';
import { type ClientKind, ownPage, PINNED } from './pinned.ts';
import { type CallbackList, isLoopback, matchesCallback } from './redirects.ts';
import { type ClientAuth, openRegistration } from './registration.ts';

export type Client = {
  readonly id: string;
  readonly kind: ClientKind;
  readonly name: string | undefined;
  /** The domain that publishes name and callbacks; undefined: they are not verified. */
  readonly host: string | undefined;
  readonly callbacks: readonly string[];
};

export type ClientsOptions = {
  readonly seal: Seal;
  readonly issuer: string;
  readonly mayUse: CallbackList;
  /** `pinned`: only built-in documents, nothing is fetched. */
  readonly documents: DocumentCache | 'pinned' | 'off';
  readonly log: Logger;
};

/** Called before a document is fetched, to apply a rate limit; may throw. */
export type Admit = () => Promise<void>;

export class Clients {
  readonly #options: ClientsOptions;
  readonly #pinned: ReadonlyMap<string, (typeof PINNED)[string]>;
  readonly #ownHost: string;

  constructor(options: ClientsOptions) {
    this.#options = options;
    this.#ownHost = new URL(options.issuer).hostname;
    this.#pinned = new Map([...(options.documents === 'off' ? [] : Object.entries(PINNED)), ownPage(options.issuer)]);
  }

  /** @throws GatewayError oauth_client_unknown, oauth_client_unreachable */
  async find(id: string, admit: Admit): Promise<Client> {
    const pinned = this.#pinned.get(id);
    if (pinned !== undefined) return { ...pinned, id, host: new URL(id).hostname };
    if (this.#options.seal.isOurs(id)) return this.#registered(id);
    if (!isDocumentUrl(id, this.#ownHost)) throw new GatewayError('oauth_client_unknown');
    return this.#documented(id, admit);
  }

  /**
   * How a client must authenticate at /token. No document is fetched for that: the code has everything that is needed.
   *
   * @throws GatewayError oauth_client_invalid
   */
  async authOf(id: string): Promise<ClientAuth> {
    if (this.#pinned.has(id) || isDocumentUrl(id, this.#ownHost)) return 'none';
    const registration = await openRegistration(this.#options.seal, id);
    if (registration === undefined) throw new GatewayError('oauth_client_invalid');
    return registration.auth;
  }

  /** A callback must be one of the client's own, and also be on a list or on the client's domain. */
  mayUseCallback(client: Client, callback: string): boolean {
    if (!matchesCallback(client.callbacks, callback)) return false;
    if (isLoopback(callback) || this.#pinned.has(client.id) || this.#options.mayUse(callback)) return true;
    return client.host !== undefined && callback.startsWith(`https://${client.host}/`);
  }

  async #registered(id: string): Promise<Client> {
    const registration = await openRegistration(this.#options.seal, id);
    if (registration === undefined) throw new GatewayError('oauth_client_unknown');
    const { name, callbacks } = registration;
    return { id, kind: 'registered', name, host: undefined, callbacks };
  }

  async #documented(id: string, admit: Admit): Promise<Client> {
    const { documents, log } = this.#options;
    if (documents === 'off' || documents === 'pinned') throw new GatewayError('oauth_client_unknown');
    const host = new URL(id).hostname;
    const document = await documents.get(id, admit).catch((caught: unknown) => {
      if (!(caught instanceof DocumentUnreachable)) throw caught;
      log.warn({ clientHost: host, reason: caught.message }, "a client's metadata document could not be loaded");
      throw new GatewayError('oauth_client_unreachable', undefined, { cause: caught, retryAfterMs: 30_000 });
    });
    if ('fault' in document) {
      log.warn({ clientHost: host, reason: document.fault }, "a client's metadata document cannot be used");
      throw new GatewayError('oauth_client_unknown', `The app's description cannot be used: ${document.fault}.`);
    }
    return { id, kind: 'other_cimd', name: cleanName(document.name) || undefined, host, callbacks: document.callbacks };
  }
}
