// A client of revision 2026-07-28 with a simulated user: keeps the questions, and answers as the test specifies.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

export type Asked = {
  readonly message: string;
  readonly requestedSchema: { readonly properties: Readonly<Record<string, { readonly title?: string }>> };
};
export type Reply = { readonly action: 'accept' | 'decline' | 'cancel'; readonly content?: Record<string, unknown> };
export type Result = {
  readonly resultType?: string;
  readonly requestState?: string;
  readonly inputRequests?: Readonly<Record<string, { readonly params: Asked }>>;
  readonly isError?: boolean;
  readonly content?: readonly { readonly type: string; readonly text?: string }[];
};

export const accept = (decision: string, more: Record<string, unknown> = {}): Reply => ({
  action: 'accept',
  content: { decision, ...more },
});

export const textOf = ({ content = [] }: Result): string => content.map(({ text }) => text ?? '').join('\n');
export const questionIn = ({ inputRequests }: Result): Asked => {
  const asked = Object.values(inputRequests ?? {})[0]?.params;
  if (asked === undefined) throw new Error('nothing was asked');
  return asked;
};

const connectedWith = async (url: URL, key: string, client: Client): Promise<Client> => {
  await client.connect(
    new StreamableHTTPClientTransport(url, { requestInit: { headers: { Authorization: `Bearer ${key}` } } }),
  );
  return client;
};

/** Lets the SDK answer the questions with `reply`. */
export async function connectAnswering(url: URL, key: string, reply: (asked: Asked) => Reply) {
  const client = new Client(
    { name: 'test', version: '1' },
    { versionNegotiation: { mode: 'auto' }, capabilities: { elicitation: { form: {} } } },
  );
  const asked: Asked[] = [];
  client.setRequestHandler('elicitation/create', ({ params }) => {
    asked.push(params as unknown as Asked);
    return reply(params as unknown as Asked) as never;
  });
  await connectedWith(url, key, client);
  return {
    asked,
    call: async (code: string, tool = 'execute_write') =>
      (await client.callTool({ name: tool, arguments: { code } })) as unknown as Result,
    close: () => client.close(),
  };
}

let lastId = 0;

/** Sends a request without the SDK, so that a test can make it invalid. */
export async function callRaw(
  url: URL,
  key: string,
  {
    code,
    tool = 'execute_write',
    state,
    reply,
    canAsk = true,
  }: { code: string; tool?: string; state?: string | undefined; reply?: Reply | undefined; canAsk?: boolean },
): Promise<Result> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${key}`,
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      'MCP-Protocol-Version': '2026-07-28',
      'Mcp-Method': 'tools/call',
      'Mcp-Name': tool,
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: ++lastId,
      method: 'tools/call',
      params: {
        name: tool,
        arguments: { code },
        ...(state !== undefined && { requestState: state }),
        ...(reply !== undefined && { inputResponses: { approval: reply } }),
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
          'io.modelcontextprotocol/clientCapabilities': canAsk ? { elicitation: { form: {} } } : {},
        },
      },
    }),
  });
  const body = (await response.json()) as { result?: Result; error?: { message: string } };
  if (body.result === undefined) throw new Error(JSON.stringify(body.error));
  return body.result;
}
