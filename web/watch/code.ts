// The code that the tab sends, which is what an agent would send to do the same. Pure.
import type { Tool } from '../mcp.ts';

export type Action = {
  readonly title: string;
  readonly tool: Tool;
  readonly code: string;
};

/** Returns the list as a file, because long results are truncated for models. */
export const LIST: Action = {
  title: 'List the sandboxes',
  tool: 'execute_read',
  code: `async () => {
  const listed = await Sandbox.list({ query: { state: ['running', 'paused'] } });
  const running = listed.filter(({ state }) => state === 'running').map(({ sandboxId }) => sandboxId);
  const usage = {};
  for (let at = 0; at < running.length; at += 100) {
    const query = { sandbox_ids: running.slice(at, at + 100) };
    const { ok, data } = await api.request({ method: 'GET', path: '/sandboxes/metrics', query });
    if (ok) Object.assign(usage, data.sandboxes);
  }
  const sandboxes = listed.map(({ sandboxId, templateId, name, state, startedAt, endAt, metadata }) => {
    const { cpuUsedPct, memUsed, memTotal } = usage[sandboxId] ?? {};
    return { sandboxId, templateId, name, state, startedAt, endAt, metadata, cpuUsedPct, memUsed, memTotal };
  });
  display({ mimeType: 'application/json', data: JSON.stringify(sandboxes) });
  return sandboxes.length;
}`,
};

const quoted = (id: string): string => JSON.stringify(id);

export const pause = (id: string): Action => ({
  title: 'Pause',
  tool: 'execute_write',
  code: `async () => Sandbox.pause(${quoted(id)})`,
});

export const resume = (id: string): Action => ({
  title: 'Resume',
  tool: 'execute_write',
  code: `async () => (await Sandbox.connect(${quoted(id)})).getInfo()`,
});

export const extend = (id: string, minutes: number): Action => ({
  title: 'Extend',
  tool: 'execute_write',
  code: `async () => {
  await Sandbox.setTimeout(${quoted(id)}, ${minutes} * 60_000);
  return (await Sandbox.getInfo(${quoted(id)})).endAt;
}`,
});

export const kill = (id: string): Action => ({
  title: 'Kill',
  tool: 'execute_write',
  code: `async () => Sandbox.kill(${quoted(id)})`,
});

export const openPort = (id: string, port: number): Action => ({
  title: 'Address of a port',
  tool: 'execute_read',
  code: `async () => (await Sandbox.connect(${quoted(id)})).getHost(${port})`,
});
