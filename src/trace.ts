// OpenTelemetry spans for requests, runs and upstream calls. Imports only OpenTelemetry's API, so nothing is recorded
// until the operator loads an SDK.
import { type Attributes, context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';

const tracer = trace.getTracer('code-mode-gateway');

export type Span = {
  /** Runs `work` with this span as the current one. */
  within<T>(work: () => T): T;
  /** Headers that propagate this span's context, e.g. `traceparent`. Empty without an SDK. */
  headers(): Record<string, string>;
  end(attributes?: Attributes, failure?: string): void;
};

function startSpan(name: string, kind: SpanKind, attributes: Attributes, parent = context.active()): Span {
  const span = tracer.startSpan(name, { kind, attributes }, parent);
  // Without an SDK, spans are empty, and need no context of their own.
  const here = trace.isSpanContextValid(span.spanContext()) ? trace.setSpan(parent, span) : parent;
  let ended = false;
  return {
    within: work => context.with(here, work),
    headers() {
      const carrier: Record<string, string> = {};
      propagation.inject(here, carrier);
      return carrier;
    },
    end(more = {}, failure) {
      if (ended) return;
      ended = true;
      span.setAttributes(more);
      if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure });
      span.end();
    },
  };
}

/** Headers that propagate the current span's context. Empty without an SDK. */
export function traceHeaders(): Record<string, string> {
  const carrier: Record<string, string> = {};
  propagation.inject(context.active(), carrier);
  return carrier;
}

/** Continues the caller's trace if the request carries one. */
export function startRequestSpan(method: string, route: string, headers: Readonly<Record<string, unknown>>): Span {
  const caller = propagation.extract(context.active(), headers);
  const attributes = { 'http.request.method': method, 'http.route': route };
  return startSpan(`${method} ${route}`, SpanKind.SERVER, attributes, caller);
}

export function startRunSpan(tool: string, attributes: Attributes): Span {
  return startSpan(`run ${tool}`, SpanKind.INTERNAL, { 'mcp.tool.name': tool, ...attributes });
}

/** `operation` is the operation's name in the description, never a path with ids. */
export function startCallSpan(operation: string): Span {
  return startSpan(operation, SpanKind.CLIENT, { 'url.template': operation });
}
