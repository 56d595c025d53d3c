// The initial code in the editor for each tool.
import type { Tool } from '../mcp.ts';

export const START: Readonly<Record<Tool, string>> = {
  search: `async () => {
  const hits = find('pause a sandbox', { limit: 3 });
  return hits.map(hit => describe(hit.operation)).join('\\n\\n');
}`,
  execute_read: `async () => {
  const { data } = await api.request({ method: 'GET', path: '/v2/sandboxes', query: { state: ['running'] } });
  return data.map(({ sandboxID, templateID, endAt }) => ({ sandboxID, templateID, endAt }));
}`,
  execute_write: `async () => {
  const sbx = await Sandbox.create({ timeoutMs: 120_000 });
  try {
    await sbx.files.write('/tmp/numbers', '1 2 3');
    const { text, error } = await sbx.runCode("sum(map(int, open('/tmp/numbers').read().split()))");
    return error ?? { sum: Number(text) };
  } finally {
    await sbx.kill();
  }
}`,
};
