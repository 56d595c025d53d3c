// A call of each method of the SDK that asks the API.

export const sandboxId = 'i0123456789abcdefghij';

export const CALLS: readonly (readonly [capability: string, args: object])[] = [
  ['Sandbox.create', {}],
  ['Sandbox.connect', { sandboxId }],
  ['Sandbox.fork', { sandboxId }],
  ['Sandbox.list', {}],
  ['Sandbox.getInfo', { sandboxId }],
  ['Sandbox.getMetrics', { sandboxId }],
  ['Sandbox.isRunning', { sandboxId }],
  ['Sandbox.setTimeout', { sandboxId, timeoutMs: 60_000 }],
  ['Sandbox.kill', { sandboxId }],
  ['Sandbox.pause', { sandboxId }],
  ['Sandbox.updateNetwork', { sandboxId, network: {} }],
  ['Sandbox.createSnapshot', { sandboxId }],
  ['Sandbox.listSnapshots', {}],
  ['Sandbox.deleteSnapshot', { snapshotId: 'snap' }],
  ['Sandbox.files.list', { sandboxId, path: '/tmp' }],
  ['Sandbox.commands.run', { sandboxId, cmd: 'true' }],
  ['Sandbox.runCode', { sandboxId, code: '1' }],
];
