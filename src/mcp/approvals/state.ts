// The state of a run that waits for a person. The client keeps it, compressed and encrypted, so that any replica can
// continue the run and nobody else can read or change it. Never logged.
import { promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import type { Question } from '../../broker/approvals.ts';
import type { LedgerEntry } from '../../broker/ledger.ts';
import type { Recording } from '../../engine/tape.ts';
import { GatewayError } from '../../errors.ts';
import type { Policy } from '../../ground/approval-policy.ts';
import type { HostTurns } from '../../ground/host-turns.ts';
import type { Lazy } from '../../ground/lazy.ts';
import type { Hold } from '../../ground/memory-budget.ts';
import type { Seal } from '../../ground/seal.ts';

/** The caller and call that a state belongs to; any other is refused. */
export type Binding = {
  readonly principalId: string;
  readonly tool: string;
  /** Digest of the agent's code. */
  readonly codeHash: string;
  /** Versions of the gateway, engine and Node that recorded it: others may run the same code differently. */
  readonly build: string;
};

export type State = {
  readonly binding: Binding;
  readonly policy: Policy;
  /** Identifies the question, so that its answer is used only once. */
  readonly nonce: string;
  readonly askedMs: number;
  readonly expiresMs: number;
  readonly recording: Recording;
  readonly ledger: readonly LedgerEntry[];
  readonly held: readonly (readonly [id: number, question: Question])[];
  /** Kinds approved for the whole run, see broker/approvals.ts. */
  readonly granted: readonly string[];
};

/** Length of the prefix that says how many bytes the rest inflates to. It is encrypted too, so it can be trusted. */
const LENGTH_BYTES = 4;
/** A state takes this many times its text's memory: the text itself and the value parsed from it. */
const COPIES = 2;
const RETRY_AFTER_MS = 1_000;
const deflate = promisify(deflateRaw);
const inflate = promisify<Buffer | Uint8Array, { maxOutputLength: number }, Buffer>(inflateRaw);

type StateDeps = { readonly seal: Lazy<Seal>; readonly maxStateChars: number; readonly turns: HostTurns };

export class States {
  readonly #seal: Lazy<Seal>;
  readonly #maxChars: number;
  readonly #turns: HostTurns;

  constructor({ seal, maxStateChars, turns }: StateDeps) {
    this.#seal = seal;
    this.#maxChars = maxStateChars;
    this.#turns = turns;
  }

  /** @throws GatewayError `approval_too_large`, `busy` */
  async pack(state: State, hold: Hold): Promise<string> {
    const seal = await this.#seal.get();
    const json = await this.#inTurn(state.binding, () => Buffer.from(JSON.stringify(state)));
    charge(hold, json.length);
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32BE(json.length);
    const sealed = await seal.sealBytes('approval', Buffer.concat([length, await deflate(json)]));
    if (sealed.length > this.#maxChars) throw new GatewayError('approval_too_large');
    return sealed;
  }

  /** @throws GatewayError `approval_state_invalid`, `approval_expired`, `busy` */
  async open(sealed: unknown, binding: Binding, nowMs: number, hold: Hold): Promise<State> {
    const seal = await this.#seal.get();
    const bytes = typeof sealed === 'string' ? await seal.openBytes('approval', sealed, this.#maxChars) : undefined;
    if (bytes === undefined) throw new GatewayError('approval_state_invalid');
    const json = await unpack(bytes, hold);
    // It was encrypted by a gateway, so it has the type that was packed.
    const state = await this.#inTurn(binding, () => JSON.parse(json.toString('utf8')) as State);
    const { principalId, tool, codeHash, build } = state.binding;
    if (principalId !== binding.principalId || tool !== binding.tool || codeHash !== binding.codeHash)
      throw new GatewayError('approval_state_invalid');
    if (nowMs > state.expiresMs || build !== binding.build) throw new GatewayError('approval_expired');
    return state;
  }

  async #inTurn<T>({ principalId }: Binding, work: () => T): Promise<T> {
    return (await this.#turns.take({ principalId, name: 'a run that waits for a person' }, work)).value;
  }
}

/** @throws GatewayError `approval_expired` for states in the format of an earlier version */
async function unpack(bytes: Uint8Array, hold: Hold): Promise<Buffer> {
  const packed = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (packed.length < LENGTH_BYTES) throw new GatewayError('approval_expired');
  const maxOutputLength = Math.max(1, packed.readUInt32BE());
  charge(hold, maxOutputLength);
  try {
    return await inflate(packed.subarray(LENGTH_BYTES), { maxOutputLength });
  } catch (cause) {
    throw new GatewayError('approval_expired', undefined, { cause });
  }
}

function charge(hold: Hold, bytes: number): void {
  if (!hold.take(bytes * COPIES)) throw new GatewayError('busy', undefined, { retryAfterMs: RETRY_AFTER_MS });
}
