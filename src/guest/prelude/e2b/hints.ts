// Members that `Sandbox` does not have and that models try: using one throws an error with what to use instead.
import { hint } from './calls.ts';

export function addHints(sandbox: { readonly prototype: object }): void {
  const kill = 'Use kill() to end the sandbox, pause() to keep it for later.';
  const code = 'Use runCode(code, { language }).';
  const command = "Use commands.run('…').";
  hint(
    sandbox.prototype,
    {
      close: kill,
      terminate: kill,
      stop: kill,
      destroy: kill,
      delete: kill,
      shutdown: kill,
      disconnect: 'There is nothing to disconnect; an instance is its sandboxId.',
      keepAlive: 'Use setTimeout(timeoutMs).',
      resume: 'Use Sandbox.connect(sandboxId): it resumes a paused sandbox.',
      betaPause: 'Use pause().',
      exec: command,
      execute: command,
      run: command,
      runCommand: command,
      startAndWait: command,
      run_code: code,
      runPython: code,
      execCell: code,
      uploadFile: 'Use files.write(path, data).',
      downloadFile: "Use files.read(path, { format: 'bytes' }).",
      readFile: 'Use files.read(path).',
      writeFile: 'Use files.write(path, data).',
      getMcpUrl:
        "MCP servers in a sandbox are not offered here. Start one with commands.run('…', { background: true }) and talk to it with fetch(port, path).",
      getMcpToken: 'MCP servers in a sandbox are not offered here.',
    },
    'method',
  );
  hint(sandbox.prototype, { getHostname: 'Use getHost(port).' }, 'sync');
  hint(
    sandbox.prototype,
    {
      process: "Use commands.run('…').",
      filesystem: 'Use files.',
      notebook: code,
      git: "Use commands.run('git clone …').",
      pty: "There are no terminals here. Use commands.run('…', { background: true, stdin: true }).",
      id: 'Use sandboxId.',
      sandboxID: 'Use sandboxId.',
    },
    'property',
  );
  hint(
    sandbox,
    {
      get: 'Use Sandbox.connect(sandboxId), or Sandbox.getInfo(sandboxId).',
      resume: 'Use Sandbox.connect(sandboxId): it resumes a paused sandbox.',
      reconnect: 'Use Sandbox.connect(sandboxId).',
      delete: 'Use Sandbox.kill(sandboxId).',
      close: 'Use Sandbox.kill(sandboxId).',
      betaCreate: 'Use Sandbox.create({ … }).',
    },
    'method',
  );
}
