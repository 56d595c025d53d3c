// The methods of `Sandbox` as the guest calls them on the host: which only read, and valid arguments for each.

export type Made = { sandboxId: string };

/** Valid arguments of each method, without the id. */
const ARGS: Readonly<Record<string, object>> = {
  'Sandbox.create': {},
  'Sandbox.setTimeout': { timeoutMs: 60_000 },
  'Sandbox.updateNetwork': { network: {} },
  'Sandbox.deleteSnapshot': { snapshotId: 'snap' },
  'Sandbox.commands.run': { cmd: 'true' },
  'Sandbox.commands.connect': { pid: 1 },
  'Sandbox.commands.wait': { pid: 1 },
  'Sandbox.commands.output': { pid: 1 },
  'Sandbox.commands.disconnect': { pid: 1 },
  'Sandbox.commands.kill': { pid: 1 },
  'Sandbox.commands.sendStdin': { pid: 1, data: 'x' },
  'Sandbox.commands.closeStdin': { pid: 1 },
  'Sandbox.files.read': { path: '/etc/hostname' },
  'Sandbox.files.write': { files: [{ path: '/tmp/a', data: 'x' }], single: true },
  'Sandbox.files.list': { path: '/tmp' },
  'Sandbox.files.exists': { path: '/tmp' },
  'Sandbox.files.getInfo': { path: '/tmp' },
  'Sandbox.files.makeDir': { path: '/tmp/d' },
  'Sandbox.files.rename': { oldPath: '/tmp/a', newPath: '/tmp/b' },
  'Sandbox.files.remove': { path: '/tmp/a' },
  'Sandbox.runCode': { code: '1' },
  'Sandbox.removeCodeContext': { context: 'c' },
  'Sandbox.restartCodeContext': { context: 'c' },
  'Sandbox.fetch': { port: 80, path: '/' },
  'Sandbox.downloadUrl': { path: '/tmp/a' },
};
export const READS = [
  'Sandbox.connect',
  'Sandbox.list',
  'Sandbox.listSnapshots',
  'Sandbox.getInfo',
  'Sandbox.getMetrics',
  'Sandbox.isRunning',
  'Sandbox.downloadUrl',
  'Sandbox.commands.list',
  'Sandbox.files.read',
  'Sandbox.files.list',
  'Sandbox.files.exists',
  'Sandbox.files.getInfo',
  'Sandbox.listCodeContexts',
];
export const WITHOUT_ID = ['Sandbox.create', 'Sandbox.list', 'Sandbox.listSnapshots', 'Sandbox.deleteSnapshot'];
/** Methods of a command's handle, which are described with commands.run. */
export const OF_A_HANDLE = ['Sandbox.commands.wait', 'Sandbox.commands.output', 'Sandbox.commands.disconnect'];

export const argsOf = (id: string, sandboxId: string) => ({
  ...(!WITHOUT_ID.includes(id) && { sandboxId }),
  ...ARGS[id],
});
