// A call of the code's to the host as text: JSON both ways, bytes as base64 inside.
import type { HostFailure } from './host-failure.ts';

/** Never throws: a failure is an answer. */
export function answerText(request: string, call: (op: string, args: object) => unknown): string {
  try {
    const { op, args } = JSON.parse(request, (_key, value) =>
      isBytes(value) ? Buffer.from(value.base64, 'base64') : value,
    );
    return JSON.stringify({ value: call(op, args) }, (_key, item) =>
      item instanceof Uint8Array ? { base64: Buffer.from(item).toString('base64') } : item,
    );
  } catch (caught) {
    const { code, message } = caught as HostFailure;
    return JSON.stringify({ error: code ?? 'failed', message });
  }
}

function isBytes(value: unknown): value is { base64: string } {
  return typeof value === 'object' && value !== null && 'base64' in value && typeof value.base64 === 'string';
}
