// Real MCP clients of both generations with one interface, so that a test can run with all of them.
import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

type ToolAnswer = {
  readonly isError: boolean;
  /** All text blocks, joined. */
  readonly text: string;
  readonly content: readonly { readonly type: string; readonly [field: string]: unknown }[];
};
type CallOptions = { readonly onProgress?: (message: string) => void; readonly signal?: AbortSignal };
export type TestClient = {
  call(tool: string, code: unknown, options?: CallOptions): Promise<ToolAnswer>;
  listTools(): Promise<readonly { name: string; description?: string; [field: string]: unknown }[]>;
  close(): Promise<void>;
};

const info = { name: 'test', version: '1.0.0' };
type Headers = Readonly<Record<string, string>>;
const headersOf = (key: string, headers: Headers = {}) => ({
  requestInit: { headers: { Authorization: `Bearer ${key}`, ...headers } },
});

type Caller = {
  callTool(params: { name: string; arguments: Record<string, unknown> }, options: object): Promise<unknown>;
  listTools(): Promise<{ tools: unknown[] }>;
  close(): Promise<void>;
};

function wrap(client: Caller): TestClient {
  return {
    async call(tool, code, { onProgress, signal } = {}) {
      const args = code === undefined ? {} : { code };
      const options = {
        ...(signal && { signal }),
        ...(onProgress && { onprogress: (progress: { message?: string }) => onProgress(progress.message ?? '') }),
      };
      const { content, isError } = (await client.callTool({ name: tool, arguments: args }, options)) as {
        content: ToolAnswer['content'];
        isError?: boolean;
      };
      const text = content.map(block => (block.type === 'text' ? String(block.text) : '')).join('\n');
      return { isError: isError === true, text, content };
    },
    listTools: async () => (await client.listTools()).tools as Awaited<ReturnType<TestClient['listTools']>>,
    close: () => client.close(),
  };
}

async function connectV1(url: URL, key: string): Promise<TestClient> {
  const client = new ClientV1(info);
  await client.connect(new TransportV1(url, headersOf(key)) as Parameters<typeof client.connect>[0]);
  return wrap({
    callTool: (params, options) => client.callTool(params, undefined, options),
    listTools: () => client.listTools(),
    close: () => client.close(),
  });
}

const connectV2 =
  (mode: 'legacy' | 'auto' | { pin: string }) =>
  async (url: URL, key: string, headers?: Headers): Promise<TestClient> => {
    const client = new ClientV2(info, { versionNegotiation: { mode } });
    await client.connect(new TransportV2(url, headersOf(key, headers)));
    return wrap({
      callTool: (params, options) => client.callTool(params, options),
      listTools: () => client.listTools(),
      close: () => client.close(),
    });
  };

/** Every generation and way of negotiation that real clients use. */
export const CLIENTS = {
  'sdk v1': connectV1,
  'v2 legacy': connectV2('legacy'),
  'v2 auto': connectV2('auto'),
  'v2 pinned to 2026-07-28': connectV2({ pin: '2026-07-28' }),
} as const;

export const connect = CLIENTS['v2 auto'];
