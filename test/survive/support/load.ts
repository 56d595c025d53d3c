// Constant load: each caller sends a tool call, waits for the response, sends the next. Every response is kept with its
// times, so that a test can tell which calls may have failed.
import { newKey } from '../../support/gateway.ts';

export type Call = {
  readonly startedAt: number;
  readonly endedAt: number;
  /** HTTP status; 0: no response. */
  readonly status: number;
  readonly text: string;
  readonly ok: boolean;
};

export async function callTool(url: string, tool: string, code: string, key = newKey()): Promise<Call> {
  const startedAt = performance.now();
  const finish = (status: number, text: string): Call => {
    const ok = status === 200 && !text.includes('"isError":true') && !text.includes('"error":');
    return { startedAt, endedAt: performance.now(), status, text, ok };
  };
  try {
    const answer = await fetch(`${url}/mcp`, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${key}`,
        'Content-Type': 'application/json',
        Accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: tool, arguments: { code } },
      }),
    });
    return finish(answer.status, await answer.text());
  } catch (caught) {
    const cause = caught instanceof Error && caught.cause instanceof Error ? caught.cause.message : '';
    return finish(0, `${String(caught)} ${cause}`);
  }
}

/** A read that also waits in the guest, so that some runs are always open. */
const SLOWISH = `async () => {
  const { status } = await api.request({ method: 'GET', path: '/v2/sandboxes' });
  await new Promise(done => setTimeout(done, 150));
  return { status };
}`;

export type Load = { readonly calls: readonly Call[]; underWay(): number; stop(): Promise<readonly Call[]> };

export function startLoad(url: string, callers: number, code = SLOWISH): Load {
  const calls: Call[] = [];
  let open = 0;
  let stopped = false;
  const caller = async () => {
    const key = newKey();
    while (!stopped) {
      open++;
      calls.push(await callTool(url, 'execute_read', code, key));
      open--;
    }
  };
  const all = Array.from({ length: callers }, caller);
  return {
    calls,
    underWay: () => open,
    async stop() {
      stopped = true;
      await Promise.all(all);
      return calls;
    },
  };
}
