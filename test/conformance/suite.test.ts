// The protocol's conformance suite, both revisions, against the gateway in local mode. The suite cannot send headers, so
// a proxy here adds the key, and turns the suite's
// tools that ask for input into calls of ours (fixtures.ts). Scenarios that do not apply to this server are in expected-failures.yaml with a reason. Run
// by `pnpm conformance`.
import { spawn } from 'node:child_process';
import {
  createServer,
  request as forward,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tryParseJson } from '../../src/ground/json.ts';
import { newKey, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { callFixture } from './fixtures.ts';

let gateway: TestGateway;
let url: string;
const key = newKey();

/** Host and Origin are passed on unchanged: the suite tests the protection against DNS rebinding with them. */
const proxy = createServer(async (request: IncomingMessage, response: ServerResponse) => {
  const body = await text(request);
  const answer = await callFixture(tryParseJson(body), message => send(request.headers, message));
  if (answer !== undefined) {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    return;
  }
  const { hostname, port } = new URL(gateway.url);
  const headers = { ...request.headers, authorization: `Bearer ${key}` };
  const onward = forward({ hostname, port, method: request.method, path: request.url, headers }, passed => {
    response.writeHead(passed.statusCode ?? 502, passed.headers);
    passed.pipe(response);
  });
  onward.on('error', () => response.destroy());
  response.on('close', () => onward.destroy());
  onward.end(body);
});

/** A call of a fixture, as the gateway knows it. */
async function send(headers: IncomingHttpHeaders, message: object): Promise<Record<string, unknown>> {
  const kept = ['accept', 'content-type', 'mcp-protocol-version', 'mcp-method'].map(name => [
    name,
    String(headers[name]),
  ]);
  const response = await fetch(gateway.mcpUrl, {
    method: 'POST',
    headers: { ...Object.fromEntries(kept), 'mcp-name': 'execute_write', authorization: `Bearer ${key}` },
    body: JSON.stringify(message),
  });
  return (await response.json()) as Record<string, unknown>;
}

beforeAll(async () => {
  gateway = await startTestGateway({ env: { APPROVALS: 'ends' } });
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
  url = `http://localhost:${(proxy.address() as AddressInfo).port}/mcp`;
});
afterAll(async () => {
  proxy.closeAllConnections();
  proxy.close();
  await gateway.close();
});

/** The suite needs Node 22; older ones borrow its binary from npm. */
function runSuite(revision: string): Promise<{ exitCode: number | null; output: string }> {
  const suite = fileURLToPath(
    new URL('../../node_modules/@modelcontextprotocol/conformance/dist/index.js', import.meta.url),
  );
  const baseline = fileURLToPath(new URL('expected-failures.yaml', import.meta.url));
  const args = [suite, 'server', '--url', url, '--requirements', revision, '--expected-failures', baseline];
  const isOld = Number(process.versions.node.split('.')[0]) < 22;
  const [command, ...prefix] = isOld ? ['npx', '-y', '-p', 'node@22', 'node'] : [process.execPath];
  return new Promise((resolve, reject) => {
    const child = spawn(command ?? process.execPath, [...prefix, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', chunk => (output += chunk));
    child.stderr.on('data', chunk => (output += chunk));
    child.once('error', reject);
    child.once('close', exitCode => resolve({ exitCode, output }));
  });
}

it.each(['2026-07-28', '2025-11-25'])('revision %s', async revision => {
  const { exitCode, output } = await runSuite(revision);
  console.log(output);
  expect(output).toMatch(/passed/i);
  expect(exitCode).toBe(0);
});
