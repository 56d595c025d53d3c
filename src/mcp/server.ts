// Creates the MCP server for one request, with the same tools in both protocol eras. run.ts executes the calls.

import {
  type McpRequestContext,
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
  type ScopeChallenge,
  type ScopeChallengeHandler,
  type ServerContext,
  type Tool,
} from '@modelcontextprotocol/server';
import type { Api } from '../api.ts';
import { GatewayError } from '../errors.ts';
import type { Policy } from '../ground/approval-policy.ts';
import { isRecord } from '../ground/json.ts';
import type { Hold } from '../ground/memory-budget.ts';
import { PACKAGE } from '../ground/package.ts';
import type { Principal } from '../principal.ts';
import type { SetApart } from './answer/apart.ts';
import { type Icon, loadIcons } from './icons.ts';
import { MAX_PROGRESS_TOKEN_CHARS } from './message.ts';
import { RequestServer } from './request-server.ts';
import type { RunTool } from './run.ts';
import type { ToolRecord } from './tools.ts';

const HOUR_MS = 3_600_000;
/** How often the SDK may ask a client of an earlier protocol revision during one call. */
const MAX_ROUNDS = 50;

/** Any arguments are accepted, because run.ts explains a missing or wrong `code` better than a validator can. */
const INPUT_SCHEMA: Tool['inputSchema'] = {
  type: 'object',
  properties: { code: { type: 'string', description: 'One async function.' } },
  required: ['code'],
};

export type MissingScopes = (
  capability: 'read' | 'write',
  authInfo: McpRequestContext['authInfo'],
) => ScopeChallenge | undefined;

type ServerDeps = {
  readonly api: Pick<Api, 'title' | 'instructions'>;
  readonly tools: readonly ToolRecord[];
  readonly runTool: RunTool;
  /** Returns the caller, who has been authenticated. With --stdio it is always the same. */
  readonly principalOf: (context: McpRequestContext) => Principal;
  /** The scopes to ask for, if the caller's token lacks one. Undefined: run.ts refuses with an error. */
  readonly missingScopes?: MissingScopes;
};

export function createServerFactory({
  api,
  tools,
  runTool,
  principalOf,
  missingScopes,
}: ServerDeps): (context: McpRequestContext) => McpServer {
  const icons = loadIcons();
  const listed = tools.map(tool => describe(tool, icons));
  return context => {
    const server = newServer(api, icons);
    const call = ({ name, surface }: ToolRecord, args: Arguments, requestContext: ServerContext) => {
      const { mcpReq } = requestContext;
      const { approvals = 'off', ...extra } = (context.authInfo?.extra ?? {}) as Extra;
      return runTool({
        tool: name,
        surface,
        code: args['code'],
        argumentNames: Object.keys(args),
        principal: principalOf(context),
        signal: mcpReq.signal,
        progress: progressOf(requestContext),
        approvals,
        requestId: extra.requestId,
        hold: extra.hold,
        setApart: extra.setApart,
        canAsk: canAsk(server),
        requestState: mcpReq.requestState(),
        inputResponses: mcpReq.inputResponses,
      });
    };
    const toolOf = (params: unknown) => tools.find(({ name }) => isRecord(params) && name === params['name']);
    // Not registerTool: it creates three tools for each request, whose accessors V8 keeps, with all that they refer to,
    // until a full garbage collection.
    server.server.setRequestHandler('tools/list', () => ({ tools: listed }));
    server.server.setRequestHandler('tools/call', async ({ params }, requestContext) => {
      const tool = toolOf(params);
      if (tool === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Tool ${params.name} not found`);
      return call(tool, params.arguments ?? {}, requestContext).catch(refuse);
    });
    const scopesFor = (tool: ToolRecord | undefined) =>
      tool === undefined || tool.surface === 'search' ? undefined : missingScopes?.(tool.surface, context.authInfo);
    const challenge: ScopeChallengeHandler = ({ request: { method, params } }) =>
      scopesFor(method === 'tools/call' ? toolOf(params) : undefined);
    // Only where it has an effect: V8 keeps an object, until a full collection, if a method of its own is replaced.
    if (tools.some(tool => scopesFor(tool) !== undefined)) server.resolveScopeChallenge = challenge;
    return server;
  };
}

function describe({ name, title, description, annotations }: ToolRecord, icons: Icon[]): Tool {
  // Claude Code moves long results into a file unless `_meta` allows more; results are truncated here already.
  const _meta = { 'anthropic/maxResultSizeChars': 200_000 };
  return { name, title, description, inputSchema: INPUT_SCHEMA, annotations, icons: icons.slice(0, 1), _meta };
}

/** A server without tools. */
function newServer(api: ServerDeps['api'], icons: Icon[]): McpServer {
  const server = new RequestServer(
    { name: PACKAGE.name, title: `${api.title} code mode`, version: PACKAGE.version, icons },
    {
      instructions: api.instructions,
      // Some clients list prompts and resources even if they are not declared, and give up on an error. So both are
      // declared, with empty lists.
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
  server.server.setRequestHandler('prompts/list', () => ({ prompts: [] }));
  server.server.setRequestHandler('resources/list', () => ({ resources: [] }));
  server.server.setRequestHandler('resources/templates/list', () => ({ resourceTemplates: [] }));
  return server;
}

type Arguments = Readonly<Record<string, unknown>>;

/** What the HTTP transport adds to the caller of a request. */
type Extra = {
  readonly requestId?: string;
  readonly approvals?: Policy;
  /** The transport's memory account for the caller: what is charged there is released when the response has been sent. */
  readonly hold?: Hold;
  readonly setApart?: SetApart;
};

/** Throws a protocol error, which McpServer's own handler would turn into a tool result. */
function refuse(caught: unknown): never {
  if (!(caught instanceof GatewayError)) throw caught;
  const { code, message } = caught;
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, `${code}: ${message}`, { code });
}

/** Elicitation had only forms at first, so a client that names no mode supports them. */
function canAsk({ server }: McpServer): boolean {
  const elicitation = server.getClientCapabilities()?.elicitation;
  return elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined);
}

/** Maximum number of progress messages per call, because they are buffered if the client does not read them. */
const MAX_PROGRESS = 1_000;

/** Sends progress if the caller asked for it. Errors are ignored: a failed progress message must not end a run. */
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
