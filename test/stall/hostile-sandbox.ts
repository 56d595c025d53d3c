// Responses of a sandbox whose daemon the agent has replaced, for the simulated API.

export const SANDBOX = {
  body: JSON.stringify({
    ...{ sandboxID: 'ihostile', templateID: 'base', clientID: 'c', state: 'running', envdVersion: '0.4.0' },
    ...{
      startedAt: '2026-01-01T00:00:00Z',
      endAt: '2026-01-02T00:00:00Z',
      cpuCount: 2,
      memoryMB: 512,
      diskSizeMB: 512,
    },
  }),
};
export const HOSTILE = { '/sandboxes/ihostile': SANDBOX, '/v2/sandboxes/ihostile/connect': SANDBOX };
export const onSandbox = (act: string) =>
  `async () => { const sbx = await Sandbox.connect('ihostile'); return ${act} }`;
/** A message of a stream; text is used as it is. */
export const framed = (event: object | string): Buffer => {
  const text = Buffer.from(typeof event === 'string' ? event : JSON.stringify({ event }));
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(text.length, 1);
  return Buffer.concat([prefix, text]);
};
