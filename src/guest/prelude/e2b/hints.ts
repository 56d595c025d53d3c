// Members that models expect of `Sandbox` and that it does not have: using one throws an error with what to use instead.
import { hint } from './calls.ts';

const KILL = 'Use kill() to end the sandbox, pause() to keep it for later.';
const CODE = 'Use runCode(code, { language }).';
const COMMAND = "Use commands.run('…').";
const RESUME = 'Use connect(): it resumes a paused sandbox.';
const HOST = 'Use getHost(port): it answers with the host, without https://.';
const TERMINAL = "There are no terminals here. Use commands.run('…', { background: true, stdin: true }).";
const INSTANCE =
  'It belongs to an instance: const sbx = await Sandbox.create(), then sbx.runCode(…) or sbx.commands.run(…).';
const LOGS = "Logs come from the API: find('sandbox logs') in search.";

export function addHints(sandbox: { readonly prototype: object }): void {
  hint(sandbox.prototype, 'method', [
    [KILL, 'close terminate stop destroy delete shutdown'],
    ['There is nothing to disconnect; an instance is its sandboxId.', 'disconnect'],
    ['Use setTimeout(timeoutMs).', 'keepAlive'],
    ['Use Sandbox.connect(sandboxId): it resumes a paused sandbox.', 'resume'],
    [RESUME, 'reconnect start'],
    [COMMAND, 'exec execute run runCommand startAndWait execCommand executeCommand shell bash'],
    [CODE, 'run_code runPython execCell python'],
    ['Use files.write(path, data).', 'uploadFile writeFile'],
    ["Use files.read(path, { format: 'bytes' }).", 'downloadFile'],
    ['Use files.read(path).', 'readFile'],
    ['Use files.list(path).', 'listFiles'],
    ['Use createSnapshot().', 'snapshot'],
    ['Use getInfo().', 'info'],
    ['Use getMetrics().', 'metrics'],
    ['Use createCodeContext().', 'createContext'],
    [
      "MCP servers in a sandbox are not offered here. Start one with commands.run('…', { background: true }) and talk to it with fetch(port, path).",
      'getMcpUrl',
    ],
    ['MCP servers in a sandbox are not offered here.', 'getMcpToken'],
  ]);
  hint(sandbox.prototype, 'sync', [[HOST, 'getHostname getUrl getURL']]);
  hint(sandbox.prototype, 'property', [
    [COMMAND, 'process'],
    ['Use files.', 'filesystem fs'],
    [CODE, 'notebook'],
    ["Use commands.run('git clone …').", 'git'],
    [TERMINAL, 'pty terminal'],
    ["There is no desktop SDK here: Sandbox.create('desktop'), and its programs by commands.run('…').", 'desktop'],
    ['Use sandboxId.', 'id sandboxID'],
    ['Use (await getInfo()).templateId.', 'templateId templateID'],
    ['Use (await getInfo()).state.', 'status state'],
    ...['metadata', 'endAt', 'startedAt'].map(name => [`Use (await getInfo()).${name}.`, name] as const),
    [HOST, 'url host'],
  ]);
  hint(sandbox, 'method', [
    ['Use Sandbox.connect(sandboxId), or Sandbox.getInfo(sandboxId).', 'get'],
    ['Use Sandbox.connect(sandboxId): it resumes a paused sandbox.', 'resume'],
    ['Use Sandbox.connect(sandboxId).', 'reconnect'],
    ['Use Sandbox.kill(sandboxId).', 'delete close stop terminate'],
    ['Use Sandbox.create({ … }).', 'betaCreate new'],
    ['Use Sandbox.create({ … }), or Sandbox.connect(sandboxId).', 'start'],
    ['Use Sandbox.getInfo(sandboxId).', 'info'],
    ['Use Sandbox.getMetrics(sandboxId).', 'metrics'],
    ['Use (await Sandbox.connect(sandboxId)).isRunning(), or Sandbox.getInfo(sandboxId).', 'isRunning'],
    [LOGS, 'logs getLogs'],
    [INSTANCE, 'runCode run'],
    ["Templates come from the API: api.request({ method: 'GET', path: '/templates' }).", 'templates'],
  ]);
  hint(sandbox, 'property', [
    [INSTANCE, 'commands files notebook'],
    ['Use Sandbox.create({ … }).', 'beta'],
  ]);
}
