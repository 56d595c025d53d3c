// Members that models expect of `Sandbox` and that it does not have: using one throws an error with what to use instead.
import { hint } from './calls.ts';

export function addHints(sandbox: { readonly prototype: object }): void {
  const kill = 'Use kill() to end the sandbox, pause() to keep it for later.';
  const code = 'Use runCode(code, { language }).';
  const instance =
    'It belongs to an instance: const sbx = await Sandbox.create(), then sbx.runCode(…) or sbx.commands.run(…).';
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
      execCommand: command,
      executeCommand: command,
      shell: command,
      bash: command,
      python: code,
      reconnect: 'Use connect(): it resumes a paused sandbox.',
      start: 'Use connect(): it resumes a paused sandbox.',
      snapshot: 'Use createSnapshot().',
      info: 'Use getInfo().',
      metrics: 'Use getMetrics().',
      listFiles: 'Use files.list(path).',
      createContext: 'Use createCodeContext().',
      getMcpUrl:
        "MCP servers in a sandbox are not offered here. Start one with commands.run('…', { background: true }) and talk to it with fetch(port, path).",
      getMcpToken: 'MCP servers in a sandbox are not offered here.',
    },
    'method',
  );
  const host = 'Use getHost(port): it answers with the host, without https://.';
  hint(sandbox.prototype, { getHostname: host, getUrl: host, getURL: host }, 'sync');
  hint(
    sandbox.prototype,
    {
      process: "Use commands.run('…').",
      filesystem: 'Use files.',
      notebook: code,
      git: "Use commands.run('git clone …').",
      pty: "There are no terminals here. Use commands.run('…', { background: true, stdin: true }).",
      terminal: "There are no terminals here. Use commands.run('…', { background: true, stdin: true }).",
      fs: 'Use files.',
      desktop: "There is no desktop SDK here: Sandbox.create('desktop'), and its programs by commands.run('…').",
      id: 'Use sandboxId.',
      sandboxID: 'Use sandboxId.',
      templateId: 'Use (await getInfo()).templateId.',
      templateID: 'Use (await getInfo()).templateId.',
      status: 'Use (await getInfo()).state.',
      state: 'Use (await getInfo()).state.',
      metadata: 'Use (await getInfo()).metadata.',
      endAt: 'Use (await getInfo()).endAt.',
      startedAt: 'Use (await getInfo()).startedAt.',
      url: host,
      host,
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
      new: 'Use Sandbox.create({ … }).',
      stop: 'Use Sandbox.kill(sandboxId).',
      terminate: 'Use Sandbox.kill(sandboxId).',
      start: 'Use Sandbox.create({ … }), or Sandbox.connect(sandboxId).',
      info: 'Use Sandbox.getInfo(sandboxId).',
      metrics: 'Use Sandbox.getMetrics(sandboxId).',
      isRunning: 'Use (await Sandbox.connect(sandboxId)).isRunning(), or Sandbox.getInfo(sandboxId).',
      logs: "Logs come from the API: find('sandbox logs') in search.",
      getLogs: "Logs come from the API: find('sandbox logs') in search.",
      runCode: instance,
      run: instance,
      templates: "Templates come from the API: api.request({ method: 'GET', path: '/templates' }).",
    },
    'method',
  );
  hint(
    sandbox,
    { commands: instance, files: instance, notebook: instance, beta: 'Use Sandbox.create({ … }).' },
    'property',
  );
}
