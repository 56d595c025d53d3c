// Faults as programs read them: JSON-RPC where a client speaks MCP, plain JSON elsewhere.
import type { Response } from 'express';
import type { GatewayError } from '../errors.ts';
import { requestIdIn } from '../mcp/message.ts';

/** JSON-RPC's numbers for the faults that MCP clients see; none is in the range that MCP reserves. */
const rpcCode = (error: GatewayError): number =>
  error.code === 'body_invalid'
    ? -32700
    : error.code === 'params_invalid'
      ? -32602
      : error.fault === 'gateway'
        ? -32603
        : -32600;

export function writeRpcFault(error: GatewayError, response: Response, requestId: string): void {
  const data = { code: error.code, requestId };
  response.status(error.status).json({
    jsonrpc: '2.0',
    id: requestIdIn(response.req.body),
    error: { code: rpcCode(error), message: error.message, data },
  });
}

export function writeJsonFault(error: GatewayError, response: Response, requestId: string): void {
  response.status(error.status).json({ error: { code: error.code, requestId, message: error.message } });
}
