// Encodes tool and code in the URL's fragment, which is not sent to servers: `#try/<tool>/<code in base64url>`. Pure.
import type { Tool } from '../mcp.ts';

export type Shared = { readonly tool: Tool; readonly code: string };

export const TOOLS: readonly Tool[] = ['search', 'execute_read', 'execute_write'];
/** Chat programs cut longer URLs. */
const MAX_FRAGMENT_CHARS = 32_000;

export function toFragment({ tool, code }: Shared): string | undefined {
  const bytes = new TextEncoder().encode(code);
  const encoded = btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(''))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');
  return encoded.length > MAX_FRAGMENT_CHARS ? undefined : `#try/${tool}/${encoded}`;
}

export function fromFragment(fragment: string): Shared | undefined {
  const [, name, encoded] = /^#try\/(\w+)\/([\w-]+)$/.exec(fragment) ?? [];
  const tool = TOOLS.find(known => known === name);
  if (tool === undefined || encoded === undefined || encoded.length > MAX_FRAGMENT_CHARS) return undefined;
  try {
    const binary = atob(encoded.replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(binary, char => char.charCodeAt(0));
    return { tool, code: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return undefined;
  }
}
