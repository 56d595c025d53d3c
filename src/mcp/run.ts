// Executes a tool call: accepts the code, runs it on the engine with a broker for its calls, formats the outcome. Every
// error that is thrown on the way becomes a tool result here.

import { randomUUID } from 'node:crypto';
import type { CallToolResult, InputRequiredResult } from '@modelcontextprotocol/server';
import type { Broker, BrokerOptions } from '../broker/broker.ts';
import type { LedgerEntry } from '../broker/ledger.ts';
import type { CallHost, Engine, Failed, Limits, Surface, Suspended } from '../engine/engine.ts';
import { GatewayError, toGatewayError } from '../errors.ts';
import { base64Text } from '../ground/base64.ts';
import type { HostTurns } from '../ground/host-turns.ts';
import { HOLD_ANYTHING } from '../ground/memory-budget.ts';
import type { Newcomers } from '../ground/newcomers.ts';
import type { CodeAcceptor } from '../guest/accept/acceptor.ts';
import type { Logger } from '../log.ts';
import { type Principal, requireScope } from '../principal.ts';
import { type Span, startRunSpan } from '../trace.ts';
import { type SetApart, withBlocksApart } from './answer/apart.ts';
import { type Formatted, formatFault, type ResponseLimits } from './answer/format.ts';
import type { Formatter } from './answer/formatter.ts';
import { type Approvals, type Asking, isQuestion } from './approvals/approvals.ts';
import { asWritten, runCode } from './code.ts';

type ToolCall = Pick<Asking, 'approvals' | 'canAsk' | 'requestState' | 'inputResponses' | 'hold'> & {
  readonly tool: string;
  readonly surface: Surface;
  /** As the client sent it, unchecked. */
  readonly code: unknown;
  /** Names of all arguments that the client sent. */
  readonly argumentNames: readonly string[];
  readonly principal: Principal;
  readonly signal: AbortSignal;
  readonly progress: ((message: string) => void) | undefined;
  readonly requestId: string | undefined;
  /** Undefined: the transport cannot store large blocks separately, so they stay in the result. */
  readonly setApart: SetApart | undefined;
};

/**
 * Returns an `InputRequiredResult` if a person must be asked before the run continues.
 * @throws GatewayError `approval_state_invalid`, because MCP wants a protocol error for a state that does not verify
 */
export type RunTool = (call: ToolCall) => Promise<CallToolResult | InputRequiredResult>;

/** Describes a finished tool call. `outcome`: `completed`, `suspended`, `threw`, or the code of the error. */
export type RunRecord = {
  readonly tool: string;
  readonly engine: string;
  readonly outcome: string;
  readonly durationMs: number;
  readonly queuedMs: number | undefined;
};

export type OpenBroker = (options: {
  readonly principal: Principal;
  readonly mode: BrokerOptions['mode'];
  /** Aborts when the run ends, for whatever reason. */
  readonly signal: AbortSignal;
  readonly requestId: string;
  /** Receives a line for each finished call, and the output of commands and code. */
  readonly progress: ((message: string) => void) | undefined;
  readonly approvals: BrokerOptions['approvals'];
  readonly earlier: BrokerOptions['earlier'];
}) => Promise<Broker>;

type RunDeps = {
  readonly engine: Engine;
  readonly openBroker: OpenBroker;
  readonly limits: Limits;
  readonly approvals: Approvals;
  readonly acceptor: CodeAcceptor;
  readonly formatter: Formatter;
  readonly turns: HostTurns;
  readonly newcomers: Newcomers;
  readonly response: ResponseLimits;
  readonly onRun?: (record: RunRecord) => void;
  readonly log: Logger;
};

/** In search there is nothing to call: the description is in the engine's image. */
const NO_CAPABILITIES: CallHost = async ({ capability }) => ({
  ok: false,
  error: {
    name: 'GatewayError',
    code: 'capability_unknown',
    message: `${capability} is not available in search. Use execute_read or execute_write.`,
  },
});

export function createRunTool(deps: RunDeps): RunTool {
  return async call => {
    const requestId = call.requestId ?? randomUUID();
    const { tool, principal } = call;
    const engine = deps.engine.nameFor(call.surface);
    const startedAt = performance.now();
    await deps.newcomers.enter(principal.id);
    const span = startRunSpan(tool, { engine, 'enduser.id': principal.id });
    const { result, calls, ended } = await span.within(() => answer(call, requestId, deps, span));
    const durationMs = performance.now() - startedAt;
    deps.log.info(
      { reqId: requestId, tool, key: principal.id, durationMs: Math.round(durationMs), calls, ...ended },
      'run',
    );
    deps.onRun?.({ tool, engine, outcome: ended.outcome, durationMs, queuedMs: ended.queuedMs });
    span.end({ outcome: ended.outcome, calls }, ended.outcome === 'completed' ? undefined : ended.outcome);
    // The SDK serializes the result next. Waiting for a turn keeps many results from blocking the event loop together.
    await deps.turns.pass({ principalId: principal.id, name: requestId });
    if (result instanceof GatewayError) throw result;
    return result as CallToolResult | InputRequiredResult;
  };
}

type Answer = {
  readonly result: Formatted<string> | InputRequiredResult | GatewayError;
  readonly calls: number;
  /** How the run ended, for the log. */
  readonly ended: {
    readonly outcome: string;
    readonly engine?: string;
    readonly cpuMs?: number;
    readonly queuedMs?: number;
  };
};

/** @throws GatewayError code_invalid with the names that were sent, since the code may have the wrong name. */
function checkArgumentNames({ code, argumentNames }: ToolCall): void {
  const names = argumentNames.filter(name => /^[\w-]{1,40}$/.test(name)).slice(0, 5);
  if (code !== undefined || names.length === 0) return;
  throw new GatewayError(
    'code_invalid',
    `The argument is called \`code\`, but this call sent ${names.join(', ')}. Send \`code\`: a string with one async function.`,
  );
}

/** Shared by all runs, because aborting without a reason creates an exception with a stack each time. */
const RUN_OVER = new Error('the run is over');

async function answer(call: ToolCall, requestId: string, deps: RunDeps, span: Span): Promise<Answer> {
  const { engine, limits, log } = deps;
  const { surface, principal, progress } = call;
  const over = new AbortController();
  const { signal } = over;
  // Not AbortSignal.any, which costs more than the rest of this function.
  const leave = () => over.abort(call.signal.reason);
  call.signal.addEventListener('abort', leave, { once: true });
  if (call.signal.aborted) leave();
  let ledger: readonly LedgerEntry[] = [];
  try {
    if (surface !== 'search') requireScope(principal, surface);
    checkArgumentNames(call);
    const accept = () => deps.acceptor.accept(call.code, { principalId: principal.id, signal, surface });
    const resumed = call.requestState === undefined ? undefined : await accept();
    const approval = await deps.approvals.begin(call, requestId);
    if (isQuestion(approval)) return { result: approval, calls: 0, ended: { outcome: 'suspended' } };
    const sent = resumed ?? asWritten(call.code) ?? (await accept());
    const rules = { approvals: approval?.rules, earlier: approval?.earlier };
    const broker =
      surface === 'search'
        ? undefined
        : await deps.openBroker({ principal, mode: surface, signal, requestId, progress, ...rules });
    ledger = broker?.ledger ?? [];
    progress?.('running');
    // Calls arrive as messages from a worker, outside of the run's span, so it is entered again.
    const callHost: CallHost = (...message) => span.within(() => (broker?.callHost ?? NO_CAPABILITIES)(...message));
    const hostMs = () => broker?.hostMs() ?? 0;
    const { hold = HOLD_ANYTHING } = call;
    const tape =
      broker &&
      approval?.tape(
        (...message) => span.within(() => broker.askHost(...message)),
        bytes => hold.take(bytes),
      );
    const job = { surface, callHost, tape, hostMs, hold, limits, signal, principal };
    const { ran, code } = await runCode(sent, {
      run: (source, asWritten) => engine.run({ ...job, source, asWritten }),
      accept,
    });
    over.abort(RUN_OVER);
    const outcome =
      ran.status === 'suspended' ? await suspendOrFail(ran, () => approval?.suspend(tape, ledger, requestId)) : ran;
    const spent = {
      engine: engine.nameFor(surface),
      cpuMs: Math.round(ran.cpuMs),
      ...(ran.queuedMs !== undefined && { queuedMs: Math.round(ran.queuedMs) }),
    };
    if ('resultType' in outcome)
      return { result: outcome, calls: ledger.length, ended: { outcome: 'suspended', ...spent } };
    const ended = outcome.status === 'completed' ? 'completed' : (outcome.error.code ?? 'threw');
    const formatted = await deps.formatter.format(
      { outcome, ledger, code, surface, requestId, limits: deps.response },
      { principalId: principal.id, signal: call.signal },
    );
    return {
      result: withBlocksApart(formatted, call.setApart ?? base64Text),
      calls: ledger.length,
      ended: { outcome: ended, ...spent },
    };
  } catch (caught) {
    const error = toGatewayError(caught);
    if (error.fault === 'gateway') log.error({ err: error.cause ?? error, reqId: requestId }, 'run failed');
    const result = error.code === 'approval_state_invalid' ? error : formatFault(error, requestId);
    return { result, calls: ledger.length, ended: { outcome: error.code } };
  } finally {
    call.signal.removeEventListener('abort', leave);
    over.abort(RUN_OVER);
  }
}

/** Returns the question. If the run cannot be suspended it fails with the reason, and its calls are still reported. */
async function suspendOrFail(
  ran: Suspended,
  suspend: () => Promise<InputRequiredResult> | undefined,
): Promise<InputRequiredResult | Failed> {
  try {
    const question = await suspend();
    if (question === undefined) throw new GatewayError('internal');
    return question;
  } catch (caught) {
    const { code, name, message } = toGatewayError(caught);
    return { ...ran, status: 'failed', error: { code, name, message } };
  }
}
