// Writes error responses for programs: JSON-RPC for MCP clients, plain JSON for others.
import type { Response } from 'express';
import type { GatewayError } from '../errors.ts';
import { requestIdIn } from '../mcp/message.ts';
import { rpcCodeOf } from '../mcp/rpc-errors.ts';

export function writeRpcFault(error: GatewayError, response: Response, requestId: string): void {
  const data = { code: error.code, requestId };
  response.status(error.status).json({
    jsonrpc: '2.0',
    id: requestIdIn(response.req.body),
    error: { code: rpcCodeOf(error), message: error.message, data },
  });
}

export function writeJsonFault(error: GatewayError, response: Response, requestId: string): void {
  response.status(error.status).json({ error: { code: error.code, requestId, message: error.message } });
}
