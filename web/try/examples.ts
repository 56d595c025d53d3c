// The page's examples: what to use here instead of the tools of other E2B servers. test/e2e/sandbox.test.ts runs each
// row, and `npm run docs` writes them to docs/sandbox.md. The code is what an agent sends to execute_write.

export type Row = {
  /** The title on the page. */
  readonly title: string;
  /** Names of the tools of other servers. */
  readonly they: string;
  /** What to use instead, as a cell of a Markdown table. */
  readonly here: string;
  readonly code: string;
  /** Must match the response. */
  readonly expected: readonly RegExp[];
};

export const ROWS: readonly Row[] = [
  {
    title: 'Create, look at and kill a sandbox',
    they: 'create_sandbox, kill_sandbox, close_sandbox, list_sandbox_ids, get_sandbox_info/status',
    here: '`Sandbox.create({ timeoutMs, metadata, envs })`, `.kill()`, `Sandbox.list()`, `.getInfo()`, `.getMetrics()`, `.isRunning()`, `.setTimeout(ms)`',
    code: `async () => {
  const sbx = await Sandbox.create({ timeoutMs: 300_000, metadata: { job: 'row' }, envs: { MODE: 'test' } });
  await sbx.setTimeout(600_000);
  const { state, endAt, metadata } = await sbx.getInfo();
  const mine = await Sandbox.list({ query: { metadata: { job: 'row' } } });
  const usage = await sbx.getMetrics();
  return { state, job: metadata.job, ends: endAt > new Date(), listed: mine.length, usage: usage.length, killed: await sbx.kill() };
}`,
    expected: [/"state":"running"/, /"job":"row"/, /"ends":true/, /"listed":1/, /"killed":true/],
  },
  {
    title: 'Run Python and JavaScript',
    they: 'run_code, execute_python, execute_javascript, execute (TypeScript, R, Java, Bash)',
    here: '`sbx.runCode(code, { language, context, envs, timeoutMs })`, `createCodeContext`, `listCodeContexts`, `restartCodeContext`, `removeCodeContext`',
    code: `async () => {
  const sbx = await Sandbox.create();
  await sbx.runCode('x = 20');
  const { text } = await sbx.runCode('x + 1');
  const apart = await sbx.createCodeContext({ language: 'python' });
  const { error } = await sbx.runCode('x', { context: apart });
  const { logs } = await sbx.runCode("print('printed')");
  const js = await sbx.runCode('6 * 7', { language: 'javascript' });
  const kernels = await sbx.listCodeContexts();
  await sbx.removeCodeContext(apart);
  await sbx.kill();
  return { text, error: error.name, stdout: logs.stdout, js: js.text, kernels: kernels.length > 0 };
}`,
    expected: [/"text":"21"/, /"error":"NameError"/, /"stdout":\["printed\\n"\]/, /"js":"42"/, /"kernels":true/],
  },
  {
    title: 'Run commands, also in the background',
    they: 'run_command, also in the background',
    here: '`sbx.commands.run(cmd, { background, cwd, envs, user, timeoutMs })`, `.list()`, `.kill(pid)`, `.sendStdin(pid, data)`, `.connect(pid)`',
    code: `async () => {
  const sbx = await Sandbox.create();
  const failed = await sbx.commands.run('echo $WHO; echo oops >&2; exit 3', { envs: { WHO: 'me' }, cwd: '/tmp' });
  const cat = await sbx.commands.run('cat', { background: true, stdin: true });
  const running = await sbx.commands.list();
  await cat.sendStdin('typed');
  await cat.closeStdin();
  const { stdout } = await cat.wait();
  const sleeper = await sbx.commands.run('sleep 60', { background: true });
  const killed = await sbx.commands.kill(sleeper.pid);
  await sbx.kill();
  return { failed, running: running.some(p => p.pid === cat.pid), stdout, killed };
}`,
    expected: [
      /"stdout":"me\\n","stderr":"oops\\n","exitCode":3/,
      /"running":true/,
      /"stdout":"typed"/,
      /"killed":true/,
    ],
  },
  {
    title: 'Install a package',
    they: 'install_packages (pip, npm)',
    here: "`sbx.commands.run('pip install …')`: the result has what pip printed",
    code: `async () => {
  const sbx = await Sandbox.create();
  const { exitCode, stdout, stderr } = await sbx.commands.run('pip install wheel', { timeoutMs: 50_000 });
  await sbx.kill();
  return { exitCode, output: (stdout + stderr).slice(-500) };
}`,
    expected: [/"exitCode":0/, /wheel/],
  },
  {
    title: 'Read and write files',
    they: 'read_file, write_file, create_file, list_files, upload_file, download_file',
    here: "`sbx.files.read(path, { format: 'text' \\| 'bytes' \\| 'base64' })`, `write(path, data)`, `write([{ path, data }, …])`, `list`, `exists`, `getInfo`, `makeDir`, `rename`, `remove`; strings and `Uint8Array` both ways",
    code: `async () => {
  const sbx = await Sandbox.create();
  await sbx.files.write([{ path: '/tmp/d/a.txt', data: 'text' }, { path: '/tmp/d/b.bin', data: new Uint8Array([0, 128, 255]) }]);
  await sbx.files.write('/tmp/d/c.bin', Buffer.from('AAEC', 'base64'));
  const bytes = await sbx.files.read('/tmp/d/b.bin', { format: 'bytes' });
  const base64 = await sbx.files.read('/tmp/d/c.bin', { format: 'base64' });
  await sbx.files.makeDir('/tmp/e');
  await sbx.files.rename('/tmp/d/a.txt', '/tmp/e/a.txt');
  await sbx.files.remove('/tmp/d/b.bin');
  const left = (await sbx.files.list('/tmp/d')).map(f => f.name);
  const { size } = await sbx.files.getInfo('/tmp/e/a.txt');
  const gone = await sbx.files.exists('/tmp/d/a.txt');
  const missing = await sbx.files.read('/tmp/d/a.txt').catch(error => error.name);
  await sbx.kill();
  return { bytes: [...bytes], base64, left, size, gone, missing };
}`,
    expected: [
      /"bytes":\[0,128,255\]/,
      /"base64":"AAEC"/,
      /"left":\["c\.bin"\]/,
      /"size":4/,
      /"gone":false/,
      /"missing":"FileNotFoundError"/,
    ],
  },
  {
    title: 'Links to files and ports',
    they: 'get_file_download_url, get_sandbox_url',
    here: '`sbx.downloadUrl(path, { useSignatureExpiration })`, `sbx.uploadUrl(path)`, `sbx.getHost(port)`',
    code: `async () => {
  const sbx = await Sandbox.create();
  await sbx.files.write('/tmp/report.txt', 'for the user');
  const link = await sbx.downloadUrl('/tmp/report.txt', { useSignatureExpiration: 600 });
  const page = 'https://' + sbx.getHost(3000);
  await sbx.kill();
  return { link, page };
}`,
    expected: [/"link":"http[^"]+signature=v1_[^"]+signature_expiration=\d+/, /"page":"https:\/\/3000-i[a-z0-9]+\./],
  },
  {
    title: 'Start a web server and test it',
    they: 'start a web server and test it',
    here: '`sbx.commands.run(…, { background: true })`, then `sbx.fetch(port, path, init)`',
    code: `async () => {
  const sbx = await Sandbox.create();
  await sbx.files.write('/tmp/site/index.html', '<h1>It works</h1>');
  await sbx.commands.run('python3 -m http.server 3000', { background: true, cwd: '/tmp/site' });
  let page = { ok: false };
  for (let tries = 0; !page.ok && tries < 20; tries++) {
    if (tries > 0) await new Promise(resolve => setTimeout(resolve, 250));
    page = await sbx.fetch(3000, '/');
  }
  const html = await page.text();
  await sbx.kill();
  return { status: page.status, type: page.headers['content-type'], html };
}`,
    expected: [/"status":200/, /"type":"text\/html/, /<h1>It works<\/h1>/],
  },
  {
    title: 'Show an image',
    they: 'images and plots',
    here: '`display(execution.results[0])`, `display({ mimeType, data })`: MCP image content; charts as JSON in `results[].chart`',
    code: `async () => {
  const sbx = await Sandbox.create();
  const { results, error } = await sbx.runCode(\`
import struct, zlib
from IPython.display import Image
def chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
rows = b''.join(bytes([0]) + bytes((x * y) % 256 for x in range(64)) for y in range(64))
Image(data=bytes.fromhex('89504e470d0a1a0a') + chunk(b'IHDR', struct.pack('>IIBBBBB', 64, 64, 8, 0, 0, 0, 0))
    + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))\`);
  if (!error) display(results[0]);
  await sbx.kill();
  return error ?? results[0].formats();
}`,
    expected: [/\["png"\]/],
  },
  {
    title: 'One function with try/finally',
    they: 'create_run_close',
    here: 'one function with try/finally',
    code: `async () => {
  const sbx = await Sandbox.create({ timeoutMs: 60_000 });
  try {
    return (await sbx.runCode('sum(range(101))')).text;
  } finally {
    await sbx.kill();
  }
}`,
    expected: [/5050/, /3 calls, \d+ ms/],
  },
  {
    title: 'Several sandboxes at once',
    they: 'several sandboxes at once',
    here: '`Promise.all`, within the budgets',
    code: `async () => {
  const sandboxes = await Promise.all([1, 2, 3].map(() => Sandbox.create({ timeoutMs: 60_000 })));
  try {
    const runs = await Promise.all(sandboxes.map((sbx, i) => sbx.commands.run('echo from ' + i)));
    return runs.map(({ stdout }) => stdout.trim());
  } finally {
    await Promise.all(sandboxes.map(sbx => sbx.kill()));
  }
}`,
    expected: [/\["from 0","from 1","from 2"\]/, /9 calls, \d+ ms/],
  },
  {
    title: 'Pause, resume, fork and snapshot',
    they: 'pause, resume, fork, snapshots, network',
    here: '`sbx.pause()`, `Sandbox.connect(id)`, `sbx.fork()`, `sbx.createSnapshot()`, `Sandbox.create(snapshotId)`, `Sandbox.listSnapshots()`, `Sandbox.deleteSnapshot(id)`, `sbx.updateNetwork(…)`',
    code: `async () => {
  const sbx = await Sandbox.create();
  await sbx.files.write('/tmp/kept', 'kept');
  await sbx.pause();
  const asleep = await sbx.isRunning();
  const again = await Sandbox.connect(sbx.sandboxId);
  const { snapshotId } = await again.createSnapshot();
  const [fork] = await again.fork();
  const copy = await Sandbox.create(snapshotId);
  await copy.updateNetwork({ denyOut: ['0.0.0.0/0'] });
  const read = await Promise.all([again, fork, copy].map(each => each.files.read('/tmp/kept')));
  await Promise.all([again, fork, copy].map(each => each.kill()));
  return { asleep, read, deleted: await Sandbox.deleteSnapshot(snapshotId) };
}`,
    expected: [/"asleep":false/, /"read":\["kept","kept","kept"\]/, /"deleted":true/],
  },
  {
    title: 'Find and clean up sandboxes',
    they: 'limits on live sandboxes, clean-up',
    here: "`MAX_SANDBOXES_PER_KEY`, counted on E2B's own list; a sandbox is killed when its own `timeoutMs` is over, not when the run ends",
    code: `async () => {
  await Sandbox.create({ metadata: { job: 'old' } });
  await Sandbox.create({ metadata: { job: 'old' } });
  const old = await Sandbox.list({ query: { metadata: { job: 'old' } } });
  const killed = await Promise.all(old.map(({ sandboxId }) => Sandbox.kill(sandboxId)));
  return { killed, left: (await Sandbox.list()).length };
}`,
    expected: [/"killed":\[true,true\]/, /"left":0/],
  },
];
