// The methods `sbx.runCode` and those for contexts (kernels), in which code runs.

import { z } from 'zod';
import { addressOf } from '../../e2b/handle.ts';
import type { Wire } from '../../e2b/wire.ts';
import { callMs, onInstance, options, strings } from './arguments.ts';
import { MAX_KEPT_CHARS } from './command-runs.ts';
import { codeOverdue } from './deadline.ts';
import { createEvents, EVENT_KINDS } from './events.ts';
import { composeExecution } from './execution.ts';
import { callInterpreter, execute, INTERPRETER_PORT, type InterpreterAddress } from './interpreter.ts';
import { MaskedJson, method } from './method.ts';
import type { SandboxCall } from './sandbox-call.ts';
import { tokensOf } from './tokens.ts';

const contextId = z.string().regex(/^[\w-]{1,100}$/, 'is not a context id: pass what createCodeContext returned');
const context = z.union([z.object({ id: contextId }).transform(({ id }) => id), contextId], {
  error: 'is not a context: pass what createCodeContext returned, or its id',
});
const language = z.string().regex(/^[\w+#-]{1,40}$/, 'is python, javascript, typescript, r, java or bash');

const runCode = method('Sandbox.runCode', {
  mode: 'write',
  args: onInstance({
    code: z.string().max(1_000_000),
    /** The kinds of events that the agent's code listens to. */
    events: z.array(z.enum(EVENT_KINDS)).max(EVENT_KINDS.length).optional(),
    opts: options({
      language: language.optional(),
      context: context.optional(),
      envs: strings.optional(),
      timeoutMs: callMs.optional(),
    }).refine(({ language, context }) => language === undefined || context === undefined, {
      error: 'give language or context, not both: a context has its language',
    }),
  }),
  async run({ sandboxId, code, events, opts }, call) {
    call.context.checkRequest(Buffer.byteLength(code));
    const reporter = call.lineReporter();
    const { maxAnswerBytes } = call.context.limits;
    const sent = events === undefined ? undefined : createEvents(call.context, events);
    try {
      const execution = await onInterpreter(
        sandboxId,
        call,
        (wire, at) => {
          const deadline = call.session.deadline(opts.timeoutMs);
          return execute(wire, at, {
            body: { code, context_id: opts.context, language: opts.language, env_vars: opts.envs },
            timeoutMs: deadline.ms,
            overdue: codeOverdue(deadline),
            maxResultBytes: Math.max(maxAnswerBytes - 2 * MAX_KEPT_CHARS, maxAnswerBytes / 2),
            maxKeptChars: MAX_KEPT_CHARS,
            apiKey: call.context.principal.apiKey,
            onBytes: call.context.answer.take,
            work: call.context.work,
            readEvent: call.context.readEvent,
            onStdout: reporter?.push,
            events: sent,
          });
        },
        maxAnswerBytes * 2,
      );
      if (execution.ended !== undefined) call.context.call.ended(execution.ended);
      const logs = await call.context.maskedJson(JSON.stringify(execution.logs), 'json');
      return new MaskedJson(composeExecution(execution, logs));
    } finally {
      reporter?.flush();
      sent?.flush();
    }
  },
});

const createCodeContext = method('Sandbox.createCodeContext', {
  mode: 'write',
  args: onInstance({ opts: options({ cwd: z.string().max(4_096).optional(), language: language.optional() }) }),
  run: ({ sandboxId, opts: { cwd, language } }, call) =>
    onInterpreter(sandboxId, call, (wire, at) => callInterpreter(wire, at, 'POST', '/contexts', { cwd, language })),
});

const listCodeContexts = method('Sandbox.listCodeContexts', {
  mode: 'read',
  args: onInstance({ opts: options({}) }),
  run: ({ sandboxId }, call) =>
    onInterpreter(sandboxId, call, (wire, at) => callInterpreter(wire, at, 'GET', '/contexts')),
});

const removeCodeContext = method('Sandbox.removeCodeContext', {
  mode: 'write',
  args: onInstance({ context, opts: options({}) }),
  run: ({ sandboxId, context }, call) =>
    onInterpreter(sandboxId, call, async (wire, at) => {
      await callInterpreter(wire, at, 'DELETE', `/contexts/${context}`);
    }),
});

const restartCodeContext = method('Sandbox.restartCodeContext', {
  mode: 'write',
  args: onInstance({ context, opts: options({}) }),
  run: ({ sandboxId, context }, call) =>
    onInterpreter(sandboxId, call, async (wire, at) => {
      await callInterpreter(wire, at, 'POST', `/contexts/${context}/restart`);
    }),
});

async function onInterpreter<T>(
  sandboxId: string,
  call: SandboxCall,
  ask: (wire: Wire, at: InterpreterAddress) => Promise<T>,
  maxAnswerBytes?: number,
): Promise<T> {
  const { session } = call;
  return call.onSandbox(sandboxId, ({ access, sdk }) => {
    const at = addressOf(access, INTERPRETER_PORT, session.options.connection);
    const headers = {
      ...at.headers,
      ...(access.envdAccessToken !== undefined && { 'x-access-token': access.envdAccessToken }),
    };
    const wire = session.options.wires.open({
      origin: new URL(at.baseUrl).origin,
      principalId: call.context.principal.id,
      signal: sdk.signal,
      maxAnswerBytes: maxAnswerBytes ?? call.context.limits.maxAnswerBytes,
    });
    const address = { baseUrl: at.baseUrl, headers, requestTimeoutMs: sdk.requestTimeoutMs, tokens: tokensOf(access) };
    return ask(wire, address).catch(caught => {
      throw wire.fault ?? caught;
    });
  });
}

export const CODE = {
  'Sandbox.runCode': runCode,
  'Sandbox.createCodeContext': createCodeContext,
  'Sandbox.listCodeContexts': listCodeContexts,
  'Sandbox.removeCodeContext': removeCodeContext,
  'Sandbox.restartCodeContext': restartCodeContext,
};
