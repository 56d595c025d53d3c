// The state of a run that waits for a person, as a value and as bytes. In the bytes, long replies are not JSON text again:
// writing and reading that took the main thread longer than everything else.
import type { Question } from '../../broker/approvals.ts';
import type { LedgerEntry } from '../../broker/ledger.ts';
import type { Recorded } from '../../engine/engine.ts';
import type { Recording } from '../../engine/tape.ts';
import type { Policy } from '../../ground/approval-policy.ts';
import type { Utf8 } from '../../ground/json-text.ts';

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

const LENGTH_BYTES = 4;
/** Shorter replies stay in the text. */
const LONG_CHARS = 200;

type Written = Omit<Recorded, 'payload'> & { readonly payload: string | number };

/** Four bytes for the length of the JSON text, the text, then the long replies. In the text, each of them is its length. */
export function stateBytes(state: State): Utf8 {
  const long: Uint8Array[] = [];
  const answers = state.recording.answers.map((answer): Written => {
    const payload = textOrBytes(answer.payload);
    if (typeof payload === 'string') return { ...answer, payload };
    long.push(payload);
    return { ...answer, payload: payload.length };
  });
  const text = Buffer.from(JSON.stringify({ ...state, recording: { ...state.recording, answers } }));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(text.length);
  return Buffer.concat([length, text, ...long]);
}

/** Reads the bytes of `stateBytes`. They were encrypted in between, so they are not checked. The state shares their memory. */
export function stateIn(bytes: Utf8): State {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = LENGTH_BYTES + buffer.readUInt32BE();
  const state = JSON.parse(buffer.toString('utf8', LENGTH_BYTES, at)) as State;
  const answers = (state.recording.answers as readonly Written[]).map(({ payload, ...answer }): Recorded => {
    if (typeof payload === 'string') return { ...answer, payload };
    at += payload;
    return { ...answer, payload: bytes.subarray(at - payload, at) };
  });
  return { ...state, recording: { ...state.recording, answers } };
}

/** UTF-8 has no half surrogate pairs, JSON text can escape them. */
const textOrBytes = (payload: Recorded['payload']): Recorded['payload'] =>
  typeof payload === 'string' && payload.length > LONG_CHARS && payload.isWellFormed() ? Buffer.from(payload) : payload;
