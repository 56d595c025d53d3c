// JavaScript and TypeScript in code contexts of local mode, and contexts beside real processes, seen through the
// unmodified code interpreter SDK.
import { Sandbox as CodeSandbox } from '@e2b/code-interpreter';
import { TimeoutError } from 'e2b';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatsOf, startCloud, startSandbox } from './support/data.ts';

describe('code contexts', () => {
  let sandbox: CodeSandbox;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ sandbox, close } = await startSandbox({ envs: { EVERYWHERE: 'yes' } }));
  });
  afterAll(() => close());

  describe('javascript and typescript', () => {
    test('each keeps its own state, whichever of its names is used', async () => {
      await sandbox.runCode('const base = 40; console.log("o"); console.error("e")', { language: 'javascript' });
      const run = await sandbox.runCode('interface A { n: number }\nconst a: A = { n: 42 };\na', {
        language: 'typescript',
      });
      expect(run.text).toBe('{ n: 42 }');
      expect(
        (await sandbox.runCode('await new Promise(done => setTimeout(done, 5)); a.n', { language: 'ts' })).text,
      ).toBe('42');
      expect((await sandbox.runCode('base + 2', { language: 'js' })).text).toBe('42');
      expect((await sandbox.runCode('typeof base', { language: 'ts' })).text).toBe('undefined');
      expect((await sandbox.runCode('typeof a', { language: 'js' })).text).toBe('undefined');
    });

    test('TypeScript that needs more than its types taken out runs', async () => {
      const code = 'enum Kind { A = 3, B }\nclass P { constructor(readonly kind: Kind) {} }\nnew P(Kind.B).kind';
      expect((await sandbox.runCode(code, { language: 'ts' })).text).toBe('4');
      expect((await sandbox.runCode('const typed: number = 1; typed', { language: 'js' })).text).toBe('1');
      expect((await sandbox.runCode('const = 1', { language: 'ts' })).error?.name).toBe('SyntaxError');
    });

    test('modules, files and the shell', async () => {
      const run = await sandbox.runCode(
        `import fs from 'fs'; import { join } from 'node:path'; import { execSync } from 'node:child_process';
fs.writeFileSync(join('/home/user', 'js.txt'), 'jsö');
execSync('cat js.txt', { encoding: 'utf8' }) + process.env.EVERYWHERE`,
        { language: 'javascript' },
      );
      expect(run.error).toBeUndefined();
      expect(run.text).toBe('jsöyes');
      expect(await sandbox.files.read('js.txt')).toBe('jsö');
    });

    test('errors, formats and interruption', async () => {
      const failed = await sandbox.runCode('function f() { throw new RangeError("bad") }\nf()', {
        language: 'javascript',
      });
      expect(failed.error).toMatchObject({ name: 'RangeError', value: 'bad' });
      expect((await sandbox.runCode('throw "text"', { language: 'javascript' })).error).toMatchObject({
        name: 'string',
        value: "'text'",
      });
      const shown = await sandbox.runCode(
        `$$.html('<b>x</b>'); $$.display('id').png(Buffer.from('png')); $$.mime({ 'text/markdown': '# t' });
({ _toSvg: () => '<svg/>', toJSON: () => 0 })`,
        { language: 'javascript' },
      );
      expect(formatsOf(shown)).toEqual([['html'], ['png'], ['markdown'], ['svg']]);
      expect(shown.results.map(result => result.isMainResult)).toEqual([true, false, true, true]);
      expect(shown.results[1]?.png).toBe(Buffer.from('png').toString('base64'));
      expect((await sandbox.runCode('typeof Deno + typeof display', { language: 'js' })).text).toBe(
        'undefinedundefined',
      );
      await expect(sandbox.runCode('while (true);', { language: 'javascript', timeoutMs: 300 })).rejects.toBeInstanceOf(
        TimeoutError,
      );
      expect((await sandbox.runCode('base', { language: 'javascript' })).text).toBe('40');
    });

    test('nothing of the host is within reach', async () => {
      const run = await sandbox.runCode(
        `[typeof __host, typeof WebAssembly, (() => { try { return typeof require('node:vm') } catch { return 'absent' } })(),
 new Function('return typeof process.binding')(), typeof globalThis.constructor.constructor('return this')().process.binding,
 Object.keys(process.env).sort().join()].join(' ')`,
        { language: 'javascript' },
      );
      expect(run.text).toBe(
        'undefined undefined absent undefined undefined E2B_SANDBOX,E2B_SANDBOX_ID,E2B_TEMPLATE_ID,EVERYWHERE,HOME,LANG,PATH,USER',
      );
    });
  });
});

describe('code contexts with the process shell', () => {
  test('python and the shell share the directory', async () => {
    const { local, connection } = await startCloud('process');
    const sandbox = await CodeSandbox.create(connection);
    await sandbox.commands.run('echo from bash > shared.txt');
    const run = await sandbox.runCode(
      `text = open('/home/user/shared.txt').read()
open('/tmp/python.txt', 'w').write('from python')
import subprocess; text + subprocess.check_output('cat /tmp/python.txt', shell=True, text=True)`,
    );
    expect(run.text).toBe('from bash\\nfrom python');
    expect((await sandbox.commands.run('cat /tmp/python.txt')).stdout).toBe('from python');
    await local.close();
  });
});
