// OpenTelemetry spans: request, run, upstream call. Only the API is imported, so all of this does nothing until the
// operator loads an SDK. Knows no HTTP server, engine or client; what a span is about is handed in.
import { type Attributes, context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';

const tracer = trace.getTracer('code-mode-gateway');

export type Span = {
  /** Runs `work` with this span as the current one. */
  within<T>(work: () => T): T;
  /** Headers that carry this span's context on, e.g. `traceparent`. Empty without an SDK. */
  headers(): Record<string, string>;
  end(attributes?: Attributes, failure?: string): void;
};

function startSpan(name: string, kind: SpanKind, attributes: Attributes, parent = context.active()): Span {
  const span = tracer.startSpan(name, { kind, attributes }, parent);
  const here = trace.setSpan(parent, span);
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

/** Headers that carry the current span's context on. Empty without an SDK. */
export function traceHeaders(): Record<string, string> {
  const carrier: Record<string, string> = {};
  propagation.inject(context.active(), carrier);
  return carrier;
}

/** The caller's trace, if it sent one, goes on in this span. */
export function startRequestSpan(method: string, route: string, headers: Readonly<Record<string, unknown>>): Span {
  const caller = propagation.extract(context.active(), headers);
  const attributes = { 'http.request.method': method, 'http.route': route };
  return startSpan(`${method} ${route}`, SpanKind.SERVER, attributes, caller);
}

export function startRunSpan(tool: string, attributes: Attributes): Span {
  return startSpan(`run ${tool}`, SpanKind.INTERNAL, { 'mcp.tool.name': tool, ...attributes });
}

/** `operation` is the name in the description, never a path with ids. */
export function startCallSpan(operation: string): Span {
  return startSpan(operation, SpanKind.CLIENT, { 'url.template': operation });
}
