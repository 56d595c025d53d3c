// Child processes of the virtual Python: they run beside the program that starts them.
import type { Sandbox as E2BSandbox } from 'e2b';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Sandbox, startCloud } from './support/data.ts';

describe('subprocess', () => {
  let sandbox: E2BSandbox;
  let close: () => Promise<void>;
  beforeAll(async () => {
    const { local, connection } = await startCloud('virtual');
    close = () => local.close();
    sandbox = await Sandbox.create(connection);
  });
  afterAll(() => close());

  const run = async (code: string): Promise<unknown> => {
    await sandbox.files.write('child.py', `import subprocess as s, json, time, os\n${code}\nprint(json.dumps(shown))`);
    return JSON.parse((await sandbox.commands.run('python3 child.py')).stdout);
  };

  test('poll answers at once while the child runs, and its code when it has ended', async () => {
    const code = `p = s.Popen('while [ ! -e go ]; do sleep 0.01; done; exit 3', shell=True)
shown = [p.poll(), p.returncode]
open('go', 'w').close()
while p.poll() is None: time.sleep(0.01)
shown += [p.poll(), p.returncode]`;
    expect(await run(code)).toEqual([null, null, 3, 3]);
  });

  test('wait, communicate and run give up after their time, and the child goes on', async () => {
    const code = `p = s.Popen(['sleep', '60']); shown = []
for work in (lambda: p.wait(timeout=0.05), lambda: p.communicate(timeout=0.05), lambda: s.run('sleep 60', shell=True, timeout=0.05)):
    try: work()
    except s.TimeoutExpired as error: shown.append(type(error).__name__)
shown.append(p.poll()); p.terminate(); shown.append(p.wait())
q = s.Popen(['sleep', '60']); q.kill(); shown.append(q.wait())`;
    expect(await run(code)).toEqual(['TimeoutExpired', 'TimeoutExpired', 'TimeoutExpired', null, -15, -9]);
  });

  test('two children run at the same time', async () => {
    const code = `a = s.Popen('while [ ! -e b ]; do sleep 0.01; done; touch a', shell=True)
b = s.Popen('touch b; while [ ! -e a ]; do sleep 0.01; done; echo met', shell=True, stdout=s.PIPE, text=True)
shown = [b.communicate()[0], a.wait(), b.returncode]`;
    expect(await run(code)).toEqual(['met\n', 0, 0]);
  });

  test('input, output, errors and exit codes', async () => {
    const code = `shown = [s.run(['cat'], input='in', capture_output=True, text=True).stdout,
  s.check_output('echo out; echo err >&2', shell=True, stderr=s.STDOUT).decode(), s.call(['sh', '-c', 'exit 4'])]
p = s.Popen(['tr', 'a', 'b'], stdin=s.PIPE, stdout=s.PIPE, text=True)
p.stdin.write('banana');
shown.append(p.communicate()[0])
try: s.run('exit 5', shell=True, check=True)
except s.CalledProcessError as error: shown.append(error.returncode)
try: s.run(['no-such-program'])
except FileNotFoundError: shown.append('not found')`;
    expect(await run(code)).toEqual(['in', 'out\nerr\n', 4, 'bbnbnb', 5, 'not found']);
  });

  test('files and streams as the ends of a child', async () => {
    const code = `with open('out.txt', 'w') as out: s.run('echo to a file; echo nowhere >&2', shell=True, stdout=out, stderr=s.DEVNULL)
shown = [open('out.txt').read()]
with open('out.txt') as given: shown.append(s.check_output(['wc', '-c'], stdin=given, text=True).strip())
with s.Popen('echo 1; echo 2', shell=True, stdout=s.PIPE, stderr=s.PIPE) as p: shown += [line.decode() for line in p.stdout]
shown += [p.returncode, p.stderr.closed, s.getstatusoutput('echo said; exit 3')]`;
    expect(await run(code)).toEqual(['to a file\n', '10', '1\n', '2\n', 0, true, [3, 'said']]);
  });

  test('Python’s own HTTP server answers, and a socket that is no server’s is refused', async () => {
    const code = `import http.server, socket
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.send_response(201); self.send_header('X-Path', self.path); self.end_headers()
        self.wfile.write(self.rfile.read(int(self.headers['Content-Length']))[::-1])
    def log_message(self, *_): pass
with http.server.ThreadingHTTPServer(('', 0), Handler) as server:
    asked = s.Popen(f'curl -si -d abc localhost:{server.server_port}/path', shell=True, stdout=s.PIPE, text=True)
    server.handle_request()
    printed = asked.communicate()[0].lower(); shown = [line in printed for line in ('201', 'x-path: /path', 'cba')]
try: socket.create_connection(('localhost', 8300))
except OSError as error: shown.append(type(error).__name__)`;
    expect(await run(code)).toEqual([true, true, true, 'ConnectionRefusedError']);
  });

  test('files at the root are the sandbox’s, and move between its folders', async () => {
    const code = `open('/at-root', 'w').write('seen'); os.rename('/at-root', '/tmp/moved'); os.makedirs('/new/folder')
shown = [s.check_output('cat /tmp/moved; [ -d /new/folder ] && [ ! -e /at-root ] && echo moved', shell=True, text=True), 'new' in os.listdir('/')]`;
    expect(await run(code)).toEqual(['seenmoved\n', true]);
  });
});
