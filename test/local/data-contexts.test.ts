// Code contexts of local mode, seen through the unmodified code interpreter SDK.
import { Sandbox as CodeSandbox } from '@e2b/code-interpreter';
import { NotFoundError, SandboxError, TimeoutError } from 'e2b';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from './support/conditions.ts';
import { type Connection, formatsOf, startSandbox } from './support/data.ts';

/** swc takes 10 seconds for it, and four times as many for every two more. */
const SLOW = `${'a?(b):(c='.repeat(22)}1${')=>1'.repeat(22)} as any`;

describe('code contexts', () => {
  let sandbox: CodeSandbox;
  let connection: Connection;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ sandbox, connection, close } = await startSandbox({ envs: { EVERYWHERE: 'yes' } }));
  });
  afterAll(() => close());

  describe('python', () => {
    test('state, last value, output and count', async () => {
      expect((await sandbox.runCode('x = 41')).results).toEqual([]);
      const streamed: string[] = [];
      const run = await sandbox.runCode('import sys\nprint("grüße"); print("err", file=sys.stderr)\nx + 1', {
        onStdout: message => void streamed.push(message.line),
      });
      expect(run.text).toBe('42');
      expect(run.logs).toEqual({ stdout: ['grüße\n'], stderr: ['err\n'] });
      expect(streamed).toEqual(['grüße\n']);
      expect(run.executionCount).toBe(2);
    });

    test('output comes while the code runs', async () => {
      const seen: string[] = [];
      const run = sandbox.runCode(
        'import time, os\nprint("one")\nwhile not os.path.exists("go"): time.sleep(0.01)\nprint("two")',
        {
          onStdout: message => void seen.push(message.line),
        },
      );
      await until(() => seen.length === 1);
      await sandbox.files.write('go', '');
      await run;
      expect(seen).toEqual(['one\n', 'two\n']);
    });

    test('an error is a result, with its traceback, and the context lives on', async () => {
      const run = await sandbox.runCode('kept = 1\ndef fails():\n    raise ValueError("no good")\nfails()');
      expect(run.error).toMatchObject({ name: 'ValueError', value: 'no good' });
      expect(run.error?.traceback).toMatch(/line 4, in <module>[\s\S]*line 3, in fails[\s\S]*ValueError: no good/);
      expect(run.error?.traceback).not.toContain('local_kernel');
      expect((await sandbox.runCode('kept')).text).toBe('1');
      expect((await sandbox.runCode('this is no code')).error?.name).toBe('SyntaxError');
    });

    test('results of every kind', async () => {
      const run = await sandbox.runCode(`
from IPython.display import display, HTML, Markdown, SVG, Image, JSON, Latex, Javascript
import zlib, struct
def png(width, height):
    rows = b''.join(b'\\0' + b'\\x20\\x60\\xc0' * width for _ in range(height))
    chunk = lambda kind, data: struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
    return b'\\x89PNG\\r\\n\\x1a\\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)) + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b'')
display(HTML('<b>h</b>'), Markdown('# m'), SVG('<svg/>'), Image(data=png(2, 2)), Image(data=b'\\xff\\xd8\\xff\\xe0'))
display(JSON({'a': [1, 2]}), Latex('$x$'), Javascript('1'))
class Chart:
    def _repr_mimebundle_(self, include=None, exclude=None):
        return {'text/plain': 'a chart', 'e2b/chart': {'type': 'line', 'title': 't', 'elements': []}}
display(Chart())
'main'`);
      expect(run.error).toBeUndefined();
      expect(formatsOf(run)).toEqual([
        ['html'],
        ['markdown'],
        ['svg'],
        ['png'],
        ['jpeg'],
        ['json'],
        ['latex'],
        ['javascript'],
        [],
        [],
      ]);
      expect(
        Buffer.from(run.results[3]?.png ?? '', 'base64')
          .subarray(1, 4)
          .toString(),
      ).toBe('PNG');
      expect(run.results[5]?.json).toEqual({ a: [1, 2] });
      expect(run.results[8]?.chart).toMatchObject({ type: 'line', title: 't' });
      expect(run.results.map(result => result.isMainResult)).toEqual([...Array(9).fill(false), true]);
      expect(run.text).toBe('main');
    });

    test('it sees the sandbox’s files, shell and environment', async () => {
      await sandbox.files.write('data/in.txt', 'from the API');
      const run = await sandbox.runCode(
        `import os, subprocess
text = open('/home/user/data/in.txt').read()
with open('data/out.txt', 'w') as f: f.write(text.upper())
ran = subprocess.run(['cat', 'data/out.txt'], capture_output=True, text=True)
(ran.stdout, os.environ['EVERYWHERE'], os.environ['HERE'], sorted(os.listdir('data')))`,
        { envs: { HERE: 'cell' } },
      );
      expect(run.error).toBeUndefined();
      expect(run.text).toBe("('FROM THE API', 'yes', 'cell', ['in.txt', 'out.txt'])");
      expect(await sandbox.files.read('data/out.txt')).toBe('FROM THE API');
      expect((await sandbox.runCode('os.environ.get("HERE")')).text).toBeUndefined();
    });

    test('await at the top, shell lines and magics', async () => {
      expect(
        (await sandbox.runCode('import asyncio\nawait asyncio.gather(asyncio.sleep(0.01, "a"), asyncio.sleep(0, "b"))'))
          .text,
      ).toBe("['a', 'b']");
      expect((await sandbox.runCode('!echo from the shell\n%cd /tmp')).logs.stdout).toEqual(['from the shell\n']);
      expect((await sandbox.runCode('import os; os.getcwd()')).text).toBe('/tmp');
      await sandbox.runCode('%cd /home/user');
    });

    test('what never ends is interrupted, and the state is kept', async () => {
      await sandbox.runCode('before = "kept"');
      const endless = sandbox.runCode('while True: pass', { timeoutMs: 300 });
      await expect(endless).rejects.toBeInstanceOf(TimeoutError);
      await expect(sandbox.runCode('import time; time.sleep(60)', { timeoutMs: 300 })).rejects.toBeInstanceOf(
        TimeoutError,
      );
      expect((await sandbox.runCode('before')).text).toBe('kept');
    });

    test('what cannot be interrupted costs its context’s state only', async () => {
      const context = await sandbox.createCodeContext();
      await sandbox.runCode('lost = 1', { context });
      const stubborn = 'while True:\n    try:\n        while True: pass\n    except BaseException: pass';
      await expect(sandbox.runCode(stubborn, { context, timeoutMs: 300 })).rejects.toBeInstanceOf(TimeoutError);
      expect((await sandbox.runCode('lost', { context })).error?.name).toBe('NameError');
      expect((await sandbox.runCode('1 + 1')).text).toBe('2');
    });

    test('nothing of the host is within reach', async () => {
      const run = await sandbox.runCode(`
import posix, os
tried = [posix.system('true'), os.path.exists('/etc/shadow'), os.path.exists('/proc/self/environ')]
for name in ('js', 'pyodide_js', '_ctypes', 'ctypes'):
    try:
        __import__(name); tried.append(name)
    except ImportError: pass
import socket
try:
    socket.create_connection(('127.0.0.1', ${new URL(connection.apiUrl).port}), timeout=1); tried.append('connected')
except OSError: pass
tried, 'PATH' in os.environ and os.environ['PATH']`);
      expect(run.text).toBe("([-1, False, False], '/usr/local/bin:/usr/bin:/bin')");
    });
  });

  test('TypeScript that swc takes too long for costs its own context only', async () => {
    const context = await sandbox.createCodeContext({ language: 'typescript' });
    expect((await sandbox.runCode('const n: number = 1;\nn', { context })).text).toBe('1');
    const slow = sandbox.runCode(SLOW, { context });
    for (const word of ['a', 'b', 'c']) expect((await sandbox.commands.run(`echo ${word}`)).stdout).toBe(`${word}\n`);
    await sandbox.removeCodeContext(context);
    expect((await slow).error?.name).toBe('UnexpectedEndOfExecution');

    const endless = sandbox.runCode(SLOW, { language: 'typescript', timeoutMs: 300 });
    await expect(endless).rejects.toBeInstanceOf(TimeoutError);
    expect((await sandbox.runCode('1 + 1', { language: 'typescript' })).text).toBe('2');
  });

  test('bash runs, R and Java say that they are not here', async () => {
    const run = await sandbox.runCode('echo "$EVERYWHERE"; exit 3', { language: 'bash' });
    expect(run.logs.stdout).toEqual(['yes\n']);
    expect(run.error?.value).toBe('exit status 3');
    for (const language of ['r', 'java']) {
      expect((await sandbox.runCode('1', { language })).error?.value).toContain('local mode');
    }
  });

  test('contexts are made, listed, restarted and removed', async () => {
    const context = await sandbox.createCodeContext({ cwd: '/tmp/of-its-own', language: 'python' });
    expect(context).toMatchObject({ language: 'python', cwd: '/tmp/of-its-own' });
    expect((await sandbox.runCode('import os; here = os.getcwd(); here', { context })).text).toBe('/tmp/of-its-own');
    expect((await sandbox.runCode('"here" in globals()')).text).toBe('False');
    expect((await sandbox.listCodeContexts()).map(({ id }) => id)).toContain(context.id);
    await sandbox.restartCodeContext(context);
    const fresh = await sandbox.runCode('"here" in globals()', { context });
    expect([fresh.text, fresh.executionCount]).toEqual(['False', 1]);
    await sandbox.removeCodeContext(context);
    await expect(sandbox.runCode('1', { context })).rejects.toBeInstanceOf(NotFoundError);
  });

  test('contexts run at the same time; a removed one stops', async () => {
    const [a, b] = await Promise.all([sandbox.createCodeContext(), sandbox.createCodeContext()]);
    const endless = sandbox.runCode('while True: pass', { context: a });
    expect((await sandbox.runCode('"free"', { context: b })).text).toBe('free');
    await sandbox.removeCodeContext(a);
    expect((await endless).error?.name).toBe('UnexpectedEndOfExecution');
    await sandbox.removeCodeContext(b);
  });

  test('a context that is restarted while it runs, or whose interpreter ends, says so and starts anew', async () => {
    const context = await sandbox.createCodeContext();
    const endless = sandbox.runCode('print("up")\nwhile True: pass', {
      context,
      onStdout: () => void sandbox.restartCodeContext(context),
    });
    expect((await endless).error).toMatchObject({ name: 'ContextRestarting', value: 'Context was restarted' });
    expect((await sandbox.runCode('kept = 1\nimport os; os._exit(3)', { context })).error?.name).toBe(
      'ContextRestarting',
    );
    expect((await sandbox.runCode('kept', { context })).error?.name).toBe('NameError');
    await sandbox.removeCodeContext(context);
  });

  test('a fresh sandbox has a context of Python and one of JavaScript, which code without a context uses', async () => {
    const other = await CodeSandbox.create(connection);
    const contexts = await other.listCodeContexts();
    expect(contexts.map(({ language, cwd }) => [language, cwd])).toEqual([
      ['python', '/home/user'],
      ['javascript', '/home/user'],
    ]);
    await other.runCode('x = 1');
    await other.runCode('var x = 2', { language: 'js' });
    const seen = contexts.map(async context => (await other.runCode('x', { context })).text);
    expect(await Promise.all(seen)).toEqual(['1', '2']);
    expect((await other.listCodeContexts()).map(({ id }) => id)).toEqual(contexts.map(({ id }) => id));
    await other.kill();
  });

  test('languages go by their full names, whichever is given', async () => {
    const given = ['js', 'TS', 'Python', ' bash', 'r', 'java'];
    const made = await Promise.all(given.map(language => sandbox.createCodeContext({ language })));
    expect(made.map(({ language }) => language)).toEqual(['javascript', 'typescript', 'python', 'bash', 'r', 'java']);
    await Promise.all(made.map(context => sandbox.removeCodeContext(context)));
    await expect(sandbox.createCodeContext({ language: 'cobol' })).rejects.toThrow(SandboxError);
    await expect(sandbox.runCode('1', { language: 'cobol' })).rejects.toThrow(SandboxError);
  });

  test.each([
    ['python', `"it's"`, "it's"],
    ['python', `'say "x"'`, 'say "x"'],
    ['python', `''`, ''],
    ['python', `["a"]`, "['a']"],
    ['python', `"a\\nb"`, 'a\\nb'],
    ['js', `'x'`, 'x'],
    ['ts', `"it's"`, "it's"],
    ['js', `['a']`, "[ 'a' ]"],
  ])('the text of a string has no quotes: %s %s', async (language, code, text) => {
    expect((await sandbox.runCode(code, { language })).text).toBe(text);
  });

  test('a list or a dict comes as data too, where it is data', async () => {
    const data = async (code: string) => (await sandbox.runCode(code)).results[0]?.json;
    expect(await data('[1, None, {"a": (True, 2.5)}]')).toEqual([1, null, { a: [true, 2.5] }]);
    expect(await data('import datetime\n{1: datetime.date(2026, 1, 2), "n": float("nan")}')).toEqual({
      1: '2026-01-02',
      n: null,
    });
    expect(await data('[{1, 2}]')).toBeUndefined();
    expect(await data('loop = []\nloop.append(loop)\nloop')).toBeUndefined();
  });

  test.each(['python', 'js'])('the kill of its sandbox during %s code is an error, not a result', async language => {
    const other = await CodeSandbox.create(connection);
    const code = language === 'python' ? 'print("up", flush=True)\nwhile True: pass' : 'console.log("up"); for (;;);';
    const endless = other.runCode(code, { language, onStdout: () => void other.kill() });
    const error = await endless.catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(TimeoutError);
    expect(String(error)).toContain('sandbox was killed while the request was in progress');
  });

  test('a pause during the code cuts its answer, and after the resume the state is there', async () => {
    const other = await CodeSandbox.create(connection);
    await other.runCode('kept = 7');
    let paused: Promise<unknown> = Promise.resolve();
    const endless = other.runCode('print("up")\nwhile True: pass', {
      onStdout: () => {
        paused = other.pause();
      },
    });
    await expect(endless).rejects.toThrow();
    await paused;
    await other.connect();
    expect((await other.runCode('kept')).text).toBe('7');
    await other.kill();
  });
});
