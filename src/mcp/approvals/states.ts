// Compresses and encrypts the state of a run that waits for a person. The client keeps it, so that any replica can continue
// the run and nobody else can read or change it. Never logged.
import type { Answers } from '../../broker/answers.ts';
import { GatewayError } from '../../errors.ts';
import type { HostTurns } from '../../ground/host-turns.ts';
import type { Utf8 } from '../../ground/json-text.ts';
import type { Lazy } from '../../ground/lazy.ts';
import type { Hold } from '../../ground/memory-budget.ts';
import type { Seal } from '../../ground/seal.ts';
import { type Binding, type State, stateBytes, stateIn } from './state.ts';

/** Length of the prefix that says how many bytes the rest inflates to. It is encrypted too, so it can be trusted. */
const LENGTH_BYTES = 4;
/** A state takes this many times its bytes' memory: the bytes themselves, and the copies that the guest gets. */
const COPIES = 2;
const RETRY_AFTER_MS = 1_000;

type StateDeps = {
  readonly seal: Lazy<Seal>;
  readonly maxStateChars: number;
  readonly turns: HostTurns;
  readonly answers: Answers;
};

/** The caller: who waits, and whose memory is charged. */
export type StateCaller = { readonly signal: AbortSignal; readonly hold: Hold };

export class States {
  readonly #deps: StateDeps;

  constructor(deps: StateDeps) {
    this.#deps = deps;
  }

  /** @throws GatewayError `approval_too_large`, `busy`, `cancelled` */
  async pack(state: State, { hold, signal }: StateCaller): Promise<string> {
    const { answers, maxStateChars } = this.#deps;
    const { principalId } = state.binding;
    const seal = await this.#deps.seal.get();
    const bytes = await this.#inTurn(principalId, () => stateBytes(state));
    charge(hold, bytes.length);
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32BE(bytes.length);
    const { value } = await answers.deflate(bytes, { principalId, signal });
    const sealed = await seal.sealBytes('approval', Buffer.concat([length, value]));
    if (sealed.length > maxStateChars) throw new GatewayError('approval_too_large');
    return sealed;
  }

  /** @throws GatewayError `approval_state_invalid`, `approval_expired`, `busy`, `cancelled` */
  async open(sealed: unknown, binding: Binding, nowMs: number, caller: StateCaller): Promise<State> {
    const { maxStateChars } = this.#deps;
    const seal = await this.#deps.seal.get();
    const packed = typeof sealed === 'string' ? await seal.openBytes('approval', sealed, maxStateChars) : undefined;
    if (packed === undefined) throw new GatewayError('approval_state_invalid');
    const bytes = await this.#unpack(Buffer.from(packed), binding.principalId, caller);
    const state = await this.#inTurn(binding.principalId, () => read(bytes));
    const { principalId, tool, codeHash, build } = state.binding;
    if (principalId !== binding.principalId || tool !== binding.tool || codeHash !== binding.codeHash)
      throw new GatewayError('approval_state_invalid');
    if (nowMs > state.expiresMs || build !== binding.build) throw new GatewayError('approval_expired');
    return state;
  }

  async #unpack(packed: Buffer<ArrayBuffer>, principalId: string, { hold, signal }: StateCaller): Promise<Utf8> {
    if (packed.length < LENGTH_BYTES) throw new GatewayError('approval_expired');
    const maxBytes = Math.max(1, packed.readUInt32BE());
    charge(hold, maxBytes);
    const rest = packed.subarray(LENGTH_BYTES);
    const { value } = await this.#deps.answers.inflate(rest, maxBytes, { principalId, signal });
    if (value === undefined) throw new GatewayError('approval_expired');
    return value;
  }

  async #inTurn<T>(principalId: string, work: () => T): Promise<T> {
    const owner = { principalId, name: 'a run that waits for a person', paced: true } as const;
    return (await this.#deps.turns.take(owner, work)).value;
  }
}

/**
 * A gateway encrypted it, so it has the type that was packed.
 * @throws GatewayError `approval_expired` for states in the format of an earlier version
 */
function read(bytes: Utf8): State {
  try {
    return stateIn(bytes);
  } catch (cause) {
    throw new GatewayError('approval_expired', undefined, { cause });
  }
}

function charge(hold: Hold, bytes: number): void {
  if (!hold.take(bytes * COPIES)) throw new GatewayError('busy', undefined, { retryAfterMs: RETRY_AFTER_MS });
}
