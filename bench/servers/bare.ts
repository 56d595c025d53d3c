// A minimal server with the SDK and the same three tools, which return at once. It shows the cost of MCP itself.
import { createServer } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { parseConfig, toolLimitsOf } from '../../src/config.ts';
import { E2B } from '../../src/e2b/api.ts';
import { createTools } from '../../src/mcp/tools.ts';

const inputSchema = z.object({ code: z.string().describe('One async function.') });

const handler = createMcpHandler(() => {
  const server = new McpServer({ name: 'bare', version: '1.0.0' });
  for (const { name, title, description, annotations } of createTools(E2B, toolLimitsOf(parseConfig({}))))
    server.registerTool(name, { title, description, annotations, inputSchema }, async () => ({
      content: [{ type: 'text', text: '1' }],
    }));
  return server;
});

const handle = toNodeHandler(handler);
createServer((request, response) => void handle(request as Parameters<typeof handle>[0], response)).listen(
  Number(process.env.PORT),
  '127.0.0.1',
);
