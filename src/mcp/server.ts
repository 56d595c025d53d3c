// The MCP server of one request: both protocol eras get the same three tools. Knows no HTTP; what a call does is run.ts.

import {
  type CallToolResult,
  type InputRequiredResult,
  type McpRequestContext,
  McpServer,
  ProtocolError,
  ProtocolErrorCode,
  type ScopeChallengeHandler,
  type ServerContext,
  type StandardSchemaWithJSON,
} from '@modelcontextprotocol/server';
import type { Api } from '../api.ts';
import { GatewayError } from '../errors.ts';
import type { Policy } from '../ground/approval-policy.ts';
import type { Hold } from '../ground/memory-budget.ts';
import { PACKAGE } from '../ground/package.ts';
import type { Principal } from '../principal.ts';
import type { SetApart } from './answer/apart.ts';
import { loadIcons } from './icons.ts';
import { MAX_PROGRESS_TOKEN_CHARS } from './message.ts';
import { sendPlainErrors } from './rpc-errors.ts';
import type { RunTool } from './run.ts';
import type { ToolRecord } from './tools.ts';

const HOUR_MS = 3_600_000;
/** Questions of one call that the SDK itself puts to a client of an earlier revision. */
const MAX_ROUNDS = 50;

/**
 * The input schema, made once: the SDK would turn a zod schema into JSON Schema again with every tools/list. It lets
 * everything through, because run.ts explains a missing or wrong `code` better than a validator's message can.
 */
const CODE_SCHEMA = Object.freeze({
  type: 'object',
  properties: { code: { type: 'string', description: 'One async function.' } },
  required: ['code'],
});
const INPUT: StandardSchemaWithJSON<{ code?: unknown }> = {
  '~standard': {
    version: 1,
    vendor: PACKAGE.name,
    validate: value => ({ value: typeof value === 'object' && value !== null ? value : {} }),
    jsonSchema: { input: () => CODE_SCHEMA, output: () => CODE_SCHEMA },
  },
};

type ServerDeps = {
  readonly api: Pick<Api, 'title' | 'instructions'>;
  readonly tools: readonly ToolRecord[];
  readonly runTool: RunTool;
  /** Who is calling. HTTP callers have been authenticated; --stdio has one caller for the life of the process. */
  readonly principalOf: (context: McpRequestContext) => Principal;
  /** What a caller without the capability is answered, before anything runs. Undefined: run.ts refuses in its own way. */
  readonly scopeChallenge?: (capability: 'read' | 'write') => ScopeChallengeHandler;
};

export function createServerFactory({
  api,
  tools,
  runTool,
  principalOf,
  scopeChallenge,
}: ServerDeps): (context: McpRequestContext) => McpServer {
  const icons = loadIcons();
  return context => {
    const server = new McpServer(
      { name: PACKAGE.name, title: `${api.title} code mode`, version: PACKAGE.version, icons },
      {
        instructions: api.instructions,
        // Some clients ask for prompts and resources whatever is declared, and drop a server that answers with an error:
        // both are declared, and their lists are empty.
        capabilities: {
          tools: { listChanged: false },
          prompts: { listChanged: false },
          resources: { listChanged: false },
        },
        inputRequired: { maxRounds: MAX_ROUNDS },
        cacheHints: {
          'tools/list': { ttlMs: HOUR_MS, cacheScope: 'public' },
          'server/discover': { ttlMs: HOUR_MS, cacheScope: 'public' },
        },
      },
    );
    sendPlainErrors(server);
    const calls = new Map<string, ToolCallback>();
    for (const { name, surface, title, description, annotations } of tools) {
      const call: ToolCallback = (args, requestContext) =>
        runTool({
          tool: name,
          surface,
          code: args['code'],
          argumentNames: Object.keys(args),
          principal: principalOf(context),
          signal: requestContext.mcpReq.signal,
          progress: progressOf(requestContext),
          requestId: requestIdOf(context),
          approvals: (context.authInfo?.extra?.approvals as Policy | undefined) ?? 'off',
          canAsk: canAsk(server),
          requestState: requestContext.mcpReq.requestState(),
          inputResponses: requestContext.mcpReq.inputResponses,
          hold: holdOf(context),
          setApart: context.authInfo?.extra?.setApart as SetApart | undefined,
        });
      calls.set(name, call);
      server.registerTool(
        name,
        // Claude Code moves longer results into a file; ours are truncated to this much already.
        {
          title,
          description,
          annotations,
          inputSchema: INPUT,
          icons: icons.slice(0, 1),
          ...(scopeChallenge && surface !== 'search' && { scopeChallenge: scopeChallenge(surface) }),
          _meta: { 'anthropic/maxResultSizeChars': 200_000 },
        },
        call,
      );
    }
    server.server.setRequestHandler('tools/call', async ({ params }, requestContext) => {
      const call = calls.get(params.name);
      if (call === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Tool ${params.name} not found`);
      return call(params.arguments ?? {}, requestContext).catch(refuse);
    });
    server.server.setRequestHandler('prompts/list', () => ({ prompts: [] }));
    server.server.setRequestHandler('resources/list', () => ({ resources: [] }));
    server.server.setRequestHandler('resources/templates/list', () => ({ resourceTemplates: [] }));
    return server;
  };
}

type ToolCallback = (
  args: Readonly<Record<string, unknown>>,
  context: ServerContext,
) => Promise<CallToolResult | InputRequiredResult>;

/** McpServer's own handler would make a tool result of what is an error of the protocol. */
function refuse(caught: unknown): never {
  if (!(caught instanceof GatewayError)) throw caught;
  const { code, message } = caught;
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, `${code}: ${message}`, { code });
}

/** Forms are what elicitation was at first, so a client that names no mode has them. */
function canAsk({ server }: McpServer): boolean {
  const elicitation = server.getClientCapabilities()?.elicitation;
  return elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined);
}

const requestIdOf = (context: McpRequestContext): string | undefined => {
  const requestId = context.authInfo?.extra?.requestId;
  return typeof requestId === 'string' ? requestId : undefined;
};

/** Of the carrier's: what it keeps until the answer is sent is charged to the caller. */
const holdOf = (context: McpRequestContext) => context.authInfo?.extra?.hold as Hold | undefined;

/** Kept for a client that does not read them, so there is an end to them. */
const MAX_PROGRESS = 1_000;

/** Sends progress if the caller asked for it. Progress is a courtesy: that it cannot be sent must not end a run. */
function progressOf({ mcpReq }: ServerContext): ((message: string) => void) | undefined {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined || String(progressToken).length > MAX_PROGRESS_TOKEN_CHARS) return undefined;
  let progress = 0;
  return message => {
    if (progress >= MAX_PROGRESS) return;
    progress++;
    mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, message } }).catch(() => {});
  };
}
