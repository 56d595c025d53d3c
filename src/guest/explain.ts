// The engine's error -> what a model needs to fix its code. Pure: text in, text out.
import type { GuestError, Surface } from '../engine/engine.ts';
import type { AcceptedCode } from './code.ts';

export type Explained = {
  readonly name: string;
  readonly message: string;
  /** 1-based, the agent's own. */
  readonly line?: number;
  readonly column?: number;
  readonly sourceLine?: string;
  readonly hint?: string;
};

export type ExplainContext = {
  readonly code: AcceptedCode;
  readonly surface: Surface;
  readonly globals: readonly string[];
};

export function explainError(error: GuestError, context: ExplainContext): Explained {
  throw new Error(`not yet ${error.name} ${context.surface}`);
}

/** What the agent should know about a result that is probably not what it meant. */
export function explainNote(run: {
  readonly note?: string | undefined;
  readonly json: string;
  readonly stdout: string;
}): string | undefined {
  throw new Error(`not yet ${run.json}`);
}
