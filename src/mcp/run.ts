// What a tool call does, start to end: accept the code, run it on the engine with a broker beside it, format what came
// of it. The one border where anything thrown becomes a tool result.
import { randomUUID } from 'node:crypto';
import type { CallToolResult } from '@modelcontextprotocol/server';
import type { LedgerEntry } from '../broker/ledger.ts';
import type { CallHost, Engine, Limits, Outcome, Principal, Surface } from '../engine/engine.ts';
import { toGatewayError } from '../errors.ts';
import { acceptCode } from '../guest/code.ts';
import type { Logger } from '../log.ts';
import { formatOutcome } from './format.ts';

export type ToolCall = {
  readonly tool: string;
  readonly surface: Surface;
  /** As the client sent it. */
  readonly code: unknown;
  readonly principal: Principal;
  readonly signal: AbortSignal;
  readonly progress: ((message: string) => void) | undefined;
  readonly requestId: string | undefined;
};

export type RunTool = (call: ToolCall) => Promise<CallToolResult>;

export type OpenBroker = (options: {
  readonly principal: Principal;
  readonly mode: 'read' | 'write';
  readonly requestId: string;
  readonly signal: AbortSignal;
  readonly progress: ((message: string) => void) | undefined;
}) => { readonly callHost: CallHost; readonly ledger: readonly LedgerEntry[] };

type RunDeps = {
  readonly engine: Engine;
  readonly openBroker: OpenBroker;
  readonly limits: Limits;
  readonly maxCodeChars: number;
  readonly response: { readonly maxResultChars: number; readonly maxLogChars: number };
  readonly log: Logger;
};

/** The search surface has nothing to call: what it needs is in its image. */
const CALL_NOBODY: CallHost = async ({ capability }) => ({
  ok: false,
  error: {
    name: 'GatewayError',
    code: 'capability_unknown',
    message: `${capability} is not available in search. Use execute_read or execute_write.`,
  },
});

export function createRunTool(deps: RunDeps): RunTool {
  const { engine, limits, log } = deps;
  return async call => {
    const requestId = call.requestId ?? randomUUID();
    const { surface, principal, signal, progress } = call;
    const startedAt = performance.now();
    const broker =
      surface === 'search' ? undefined : deps.openBroker({ principal, mode: surface, requestId, signal, progress });
    const ledger = broker?.ledger ?? [];
    let outcome: Outcome;
    try {
      const source = acceptCode(call.code, { maxChars: deps.maxCodeChars });
      progress?.('running');
      outcome = await engine.run({
        source,
        surface,
        callHost: broker?.callHost ?? CALL_NOBODY,
        limits,
        signal,
        principal,
      });
    } catch (caught) {
      outcome = failedBeforeRun(caught);
      if (toGatewayError(caught).fault === 'gateway') log.error({ err: caught, reqId: requestId }, 'run failed');
    }
    log.info(
      {
        reqId: requestId,
        tool: call.tool,
        key: principal.id,
        engine: engine.name,
        durationMs: Math.round(performance.now() - startedAt),
        cpuMs: Math.round(outcome.cpuMs),
        calls: ledger.length,
        outcome: outcome.status === 'completed' ? 'completed' : (outcome.error.code ?? 'threw'),
      },
      'run',
    );
    return formatOutcome({
      outcome,
      ledger,
      code: typeof call.code === 'string' ? call.code : '',
      surface,
      requestId,
      limits: deps.response,
    }) as CallToolResult;
  };
}

function failedBeforeRun(caught: unknown): Outcome {
  const { name, code, message, retryAfterMs } = toGatewayError(caught);
  const error = { name, code, message, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  return { status: 'failed', error, stdout: '', stderr: '', droppedLogChars: 0, displays: [], durationMs: 0, cpuMs: 0 };
}
