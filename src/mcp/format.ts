// A run's outcome -> MCP content blocks for a model. Pure; knows no transport.
import type { LedgerEntry } from '../broker/ledger.ts';
import type { Outcome, Surface } from '../engine/engine.ts';
import type { GatewayError } from '../errors.ts';
import type { AcceptedCode } from '../guest/code.ts';

export type ContentBlock =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image'; readonly data: string; readonly mimeType: string }
  | {
      readonly type: 'resource';
      readonly resource: { readonly uri: string; readonly mimeType: string; readonly blob: string };
    };

export type Formatted = { readonly content: ContentBlock[]; readonly isError: boolean };

export type ResponseLimits = { readonly maxResultChars: number; readonly maxLogChars: number };

export type Run = {
  readonly outcome: Outcome;
  readonly ledger: readonly LedgerEntry[];
  readonly code: AcceptedCode;
  readonly surface: Surface;
  readonly requestId: string;
  readonly limits: ResponseLimits;
};

export function formatOutcome(run: Run): Formatted {
  throw new Error(`not yet ${run.requestId}`);
}

/** A fault before or around the run: code that was not accepted, an overloaded gateway, anything caught. */
export function formatFault(error: GatewayError, requestId: string): Formatted {
  throw new Error(`not yet ${error.code} ${requestId}`);
}
