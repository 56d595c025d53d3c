// One call of a `Sandbox` method: sends requests with the SDK to E2B's API or to a sandbox, updates the ledger's entry,
// and converts every error.
import type { SdkOptions } from '../../e2b/connection.ts';
import type { Access } from '../../e2b/handle.ts';
import type { Sandbox } from '../../e2b/sdk.ts';
import type { Wire } from '../../e2b/wire.ts';
import { GatewayError } from '../../errors.ts';
import { maskKey } from '../../upstream/key-spellings.ts';
import type { CallContext } from '../capabilities.ts';
import { within } from './abort.ts';
import { noAnswer, toFailure } from './errors.ts';
import { createLineReporter } from './output.ts';
import type { Session } from './session.ts';
import { tokensOf } from './tokens.ts';

/** What is needed for a request to a sandbox. */
type OnSandbox = {
  readonly sandbox: Sandbox;
  readonly access: Access;
  readonly wire: Wire;
  readonly sdk: SdkOptions;
};

/** Maximum size of a response that the SDK decodes at once, e.g. a list of files or processes. */
const MAX_ANSWER_BYTES = 4_000_000;

export class SandboxCall {
  readonly session: Session;
  readonly context: CallContext;
  readonly sdk: SdkOptions;

  constructor(session: Session, context: CallContext, requestTimeoutMs?: number) {
    this.session = session;
    this.context = context;
    this.sdk = session.sdk(context, requestTimeoutMs);
  }

  /** Reports the output of a program while it runs. Undefined: the caller wants no progress. */
  lineReporter(): ReturnType<typeof createLineReporter> | undefined {
    const { progress } = this.session.options;
    const { apiKey } = this.context.principal;
    return progress && createLineReporter(progress, { mask: line => maskKey(line, apiKey) });
  }

  /** Sends a request to E2B's API. */
  send<T>(request: () => Promise<T>): Promise<T> {
    return this.#tracked(() => this.session.api(this.context, request, { timeoutMs: this.sdk.requestTimeoutMs }));
  }

  /** Gets access to the sandbox, then sends a request to it. `maxAnswerBytes` limits each response of its daemon. */
  async onSandbox<T>(
    sandboxId: string,
    request: (on: OnSandbox) => Promise<T>,
    maxAnswerBytes = Math.min(MAX_ANSWER_BYTES, this.context.limits.maxAnswerBytes),
  ): Promise<T> {
    const { session, context, sdk } = this;
    // The whole run uses this access, so getting it may take as long as the run has; this call waits less for it.
    const access = await within(session.attach(sandboxId, context), sdk.requestTimeoutMs).catch(caught => {
      throw this.#failure(caught).error;
    });
    if (access === undefined) throw noAnswer(sdk.requestTimeoutMs);
    const { sandbox, wire } = session.handle(access, sdk, context, { maxAnswerBytes });
    return this.#tracked(() => request({ sandbox, access, wire, sdk }), { access, wire });
  }

  async #tracked<T>(request: () => Promise<T>, on?: Pick<OnSandbox, 'access' | 'wire'>): Promise<T> {
    const { call } = this.context;
    call.sent();
    try {
      const value = await request();
      call.answered('done');
      return value;
    } catch (caught) {
      const { error, status } = this.#failure(on?.wire.fault ?? caught, on?.access);
      if (status !== undefined) call.answered(status);
      throw on !== undefined && error.code === 'internal' ? invalidResponse(error) : error;
    }
  }

  #failure(caught: unknown, access?: Access) {
    const tokens = access === undefined ? [] : tokensOf(access);
    return toFailure(caught, this.context.signal.aborted, { apiKey: this.sdk.apiKey, tokens });
  }
}

/** In a sandbox any program may answer, so a response that the SDK cannot read is not the gateway's fault. */
const invalidResponse = (error: GatewayError) =>
  new GatewayError('sandbox_failed', 'SandboxError: the sandbox answered with something that is not its protocol.', {
    cause: error.cause,
  });
