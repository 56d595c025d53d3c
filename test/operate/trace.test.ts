// Spans with a real OpenTelemetry SDK: request, run and upstream call are in the caller's trace,
// which is passed on upstream.
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newKey, startTestGateway, type TestGateway } from '../support/gateway.ts';

const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const received: IncomingHttpHeaders[] = [];
const upstream = createServer((request, response) => {
  received.push(request.headers);
  response.setHeader('content-type', 'application/json').end('[]');
});
let gateway: TestGateway;

beforeAll(async () => {
  provider.register();
  await new Promise<void>(resolve => upstream.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  gateway = await startTestGateway({ env: { E2B_API_URL: url } });
});
afterAll(async () => {
  await gateway.close();
  upstream.closeAllConnections();
  upstream.close();
  await provider.shutdown();
});

it("request, run and API call are in the caller's trace", async () => {
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const key = newKey();
  const code = `async () => { await api.request({ method: 'GET', path: '/sandboxes' }); await api.request({ method: 'GET', path: '/templates' }); await Sandbox.list() }`;
  const answer = await fetch(gateway.mcpUrl, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${key}`,
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      traceparent: `00-${traceId}-b7ad6b7169203331-01`,
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'execute_read', arguments: { code } },
    }),
  });
  expect(answer.status).toBe(200);
  await answer.text();
  await expect.poll(() => exporter.getFinishedSpans().length).toBe(5);

  const spans = exporter.getFinishedSpans();
  const named = (name: string) => {
    const span = spans.find(span => span.name === name);
    if (span === undefined) throw new Error(`no span ${name}`);
    return span;
  };
  const [request, run, call] = ['POST /mcp', 'run execute_read', 'GET /sandboxes'].map(named);
  expect(spans.map(span => span.spanContext().traceId)).toEqual(Array(5).fill(traceId));
  expect(request?.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
  expect(run?.parentSpanContext?.spanId).toBe(request?.spanContext().spanId);
  expect(call?.parentSpanContext?.spanId).toBe(run?.spanContext().spanId);
  expect(named('GET /templates').parentSpanContext?.spanId).toBe(run?.spanContext().spanId);
  expect(received[0]?.traceparent).toBe(`00-${traceId}-${call?.spanContext().spanId}-01`);
  const listed = named('Sandbox.list').spanContext().spanId;
  expect(received.at(-1)?.traceparent).toBe(`00-${traceId}-${listed}-01`);
  expect(request?.attributes['http.response.status_code']).toBe(200);
  expect(JSON.stringify(spans.map(({ name, attributes }) => [name, attributes]))).not.toContain(key);
});
