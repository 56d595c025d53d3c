// Code that models write from memory of the official SDK: its names, options and details.
import { describe, expect, it } from 'vitest';
import { useGateway } from '../support/e2e.ts';

const e2e = useGateway();
const run = (code: string) => e2e.client.call('execute_write', code);
/** The sandbox is killed when `code`, and a promise that it returns, has ended. */
const inSandbox = (code: string) =>
  `async () => { const sbx = await Sandbox.create({ timeoutMs: 60_000 }); const use = async () => { ${code} }; try { return await use() } finally { await sbx.kill() } }`;

describe('names of the SDK', () => {
  it.each([
    [
      'an error class',
      'async () => Sandbox.getInfo("i0000000000000000000z").catch(e => [e instanceof NotFoundError, e instanceof SandboxError, e instanceof Error, e.name])',
      /\[true,true,true,"SandboxNotFoundError"\]/,
    ],
    [
      'enums and constants',
      'import { FileType, ALL_TRAFFIC } from "e2b"\nreturn [FileType.FILE, ALL_TRAFFIC]',
      /\["file","0\.0\.0\.0\/0"\]/,
    ],
    [
      'the kinds of charts',
      'import { ChartType, ScaleType, Sandbox as Box } from "@e2b/code-interpreter"\nreturn [ChartType.BAR, ChartType.BOX_AND_WHISKER, e2b.ChartType === ChartType, Object.keys(ChartType).length, ScaleType.LOG]',
      /\["bar","box_and_whisker",true,7,"log"\]/,
    ],
    [
      'the whole SDK by any name',
      'import * as sdk from "@e2b/code-interpreter"\nreturn [sdk.default === Sandbox, sdk.Sandbox === Sandbox]',
      /\[true,true\]/,
    ],
    [
      'a name whose use is refused, imported',
      'import { Sandbox, Template, waitForPort } from "e2b"\nreturn typeof Sandbox.create',
      /function/,
    ],
  ])('%s works', async (_what, code, expected) => {
    const { text, isError } = await run(code);
    expect(isError, text).toBe(false);
    expect(text).toMatch(expected);
  });

  it.each([
    ['Template', 'async () => Template().fromPythonImage("3.12")', /Template is not available here\. .*search/],
    ['Volume', 'async () => Volume.create("data")', /Volume.*POST.*\/volumes/],
    ['a desktop', 'import { Desktop } from "@e2b/desktop"\nawait Desktop.create()', /no modules|desktop/i],
    ['getMcpUrl', inSandbox('return sbx.getMcpUrl()'), /getMcpUrl.*commands\.run/],
  ])('%s fails on use with what to do instead', async (_what, code, expected) => {
    const { text, isError } = await run(code);
    expect(isError, text).toBe(true);
    expect(text).toMatch(expected);
  });
});

describe('a name that is nearly right', () => {
  it.each([
    ['command', 'await sbx.command.run("ls")', /did you mean commands\?/],
    ['file', 'await sbx.file.read("/x")', /did you mean files\?/],
    ['comands', 'await sbx.comands.run("ls")', /did you mean commands\?/],
    ['files.raed', 'await sbx.files.raed("/x")', /files has no raed: did you mean read\?/],
    ['commands.lst', 'await sbx.commands.lst()', /commands has no lst: did you mean list\?/],
    ['runcode', 'await sbx.runcode("1")', /did you mean runCode\?/],
    [
      'commands.runInBackground',
      'await sbx.commands.runInBackground("ls")',
      /Use commands\.run\('…', \{ background: true \}\)/,
    ],
    ['files.readdir', 'await sbx.files.readdir("/")', /Use files\.list\(path\)/],
    ['sbx.getUrl', 'sbx.getUrl(80)', /Use getHost\(port\)/],
    ['sbx.terminal', 'sbx.terminal.start()', /no terminals here/],
    ['sbx.status', 'sbx.status', /\(await getInfo\(\)\)\.state/],
    ['Sandbox.runCode', 'await Sandbox.runCode("1")', /belongs to an instance/],
    ['api.get', 'await api.get("/v2/sandboxes")', /api\.request\(\{ method/],
    ['a variable of an earlier call', 'await sandbox.kill()', /Make or reach one first/],
    ['fetch', 'await fetch("https://example.com")', /There is no network here/],
    ['Sandbox.creat', 'await Sandbox.creat()', /Sandbox has no creat: did you mean create\?/],
  ])('%s gets an error with the right name, caught or not', async (_what, code, expected) => {
    expect((await run(inSandbox(code))).text).toMatch(expected);
    expect((await run(inSandbox(`try { ${code} } catch (error) { return error.message }`))).text).toMatch(expected);
  });

  it('may not be any other name: those are undefined, as feature tests expect', async () => {
    const { text } = await run(inSandbox('return [sbx.zebra, typeof sbx.then, typeof Sandbox.quux, sbx.commands.abc]'));
    expect(text).toContain('[null,"undefined","undefined",null]');
  });
});

describe('a field under another name', () => {
  it.each([
    ['the exit code', 'const r = await sbx.commands.run("exit 3"); return r.exit_code', '3', /it is exitCode/],
    ['what a command printed', 'return (await sbx.commands.run("echo a")).output', 'a', /it is stdout/],
    ['what code printed', 'return (await sbx.runCode("print(5)")).stdout', '5', /it is logs\.stdout/],
    ['an error of code', 'return (await sbx.runCode("1/0")).error.message', 'division by zero', /it is value/],
    ['the id', 'return (await sbx.getInfo()).id === sbx.sandboxId', 'true', /it is sandboxId/],
    ['a folder', 'return (await sbx.files.list("/")).every(entry => entry.isDir)', 'true', /it is type === 'dir'/],
  ])('%s has the right value, and a note', async (_what, code, value, note) => {
    const { text } = await run(inSandbox(code));
    expect(text.split('\n')).toContain(value);
    expect(text).toMatch(note);
  });

  it('waitForPort accepts no option but timeoutMs, in milliseconds', async () => {
    for (const options of ['{ timeoutMs: 5 }', '{ timeout: 5 }'])
      expect((await run(inSandbox(`await sbx.waitForPort(80, ${options})`))).text).toMatch(/milliseconds/);
  });
});

describe('options and arguments', () => {
  it.each([
    [
      'options without effect, with a note',
      'await sbx.files.write("/tmp/a", "x", { gzip: true, useOctetStream: true }); return [await sbx.files.read("/tmp/a", { requestTimeoutMs: 5_000, gzip: true })]',
      /\["x"\][\s\S]*note: The option gzip has no effect here/,
    ],
    [
      'a signal',
      'return (await sbx.commands.run("echo 5", { signal: AbortSignal.timeout(20_000) })).stdout.trim()',
      /5/,
    ],
    [
      'a signal that aborts',
      'const c = new AbortController(); setTimeout(() => c.abort(), 5); return sbx.commands.run("sleep 5", { signal: c.signal }).catch(e => e.name)',
      /AbortError/,
    ],
    [
      'secure: false',
      'const other = await Sandbox.create({ secure: false }); return other.kill()',
      /true[\s\S]*always secure/,
    ],
    [
      'create(undefined, options)',
      'const o = await Sandbox.create(undefined, { timeoutMs: 900_000 }); const { startedAt, endAt } = await o.getInfo(); await o.kill(); return endAt - startedAt > 800_000',
      /true/,
    ],
    ['a port as text', 'return sbx.getHost("8080") === sbx.getHost(8080)', /true/],
    [
      'an encoding as a format',
      'await sbx.files.write("/tmp/e", "é"); return [await sbx.files.read("/tmp/e", "utf-8"), await sbx.files.read("/tmp/e", { encoding: "utf8" })]',
      /\["é","é"\]/,
    ],
    [
      'a Blob to write and to read',
      'await sbx.files.write("/tmp/b", new Blob(["a", new Uint8Array([98])])); const blob = await sbx.files.read("/tmp/b", { format: "blob" }); return [blob.size, await blob.text()]',
      /\[2,"ab"\]/,
    ],
    [
      'the limit of an awaited list',
      'const other = await Sandbox.create(); const { length } = await Sandbox.list({ limit: 1 }); await other.kill(); return length',
      /1/,
    ],
    [
      'Headers in a request',
      'return sbx.fetch(9, "/", { headers: new Headers({ "x-a": "1" }) }).then(r => typeof r.status)',
      /number/,
    ],
    [
      'kill of an unknown id',
      'return [await Sandbox.kill("no-such-sandbox"), await Sandbox.kill("i00000000000000000zzz")]',
      /\[false,false\]/,
    ],
    [
      "an id of a REST response in the SDK's spelling",
      'const { data } = await api.request({ method: "GET", path: "/v2/sandboxes" }); return data.some(item => item.sandboxId === sbx.sandboxId)',
      /true[\s\S]*note: In REST answers it is written sandboxID/,
    ],
    [
      'a list and a dict of runCode as data, beside their text',
      'const list = await sbx.runCode("[1, {\\"a\\": None}]"); const dict = await sbx.runCode("dict(b=2.5)"); return [list.results[0].json, list.text, dict.results[0].json]',
      /\[\[1,\{"a":null\}\],"\[1, \{'a': None\}\]",\{"b":2\.5\}\]/,
    ],
    [
      'the log of a background command, read by another call',
      'const { logPath } = await sbx.commands.run("echo started", { background: true }); for (let i = 0; i < 40; i++) { const text = await (await Sandbox.connect(sbx.sandboxId)).files.read(logPath).catch(() => ""); if (text) return [text]; await new Promise(r => setTimeout(r, 50)) }',
      /\["started\\n"\]/,
    ],
    [
      'messages of runCode that are text',
      'const lines = []; await sbx.runCode("print(1); print(2)", { onStdout: m => lines.push(`${m}`) }); return [lines.join("")]',
      /\["1\\n2\\n"\]/,
    ],
    [
      'toJSON of an execution and of a result',
      'const e = await sbx.runCode("6 * 7"); return [e.toJSON().text, e.results[0].toJSON().text, e.results[0].formats()]',
      /\["42","42",\[\]\]/,
    ],
  ])('%s', async (_what, code, expected) => {
    const { text, isError } = await run(inSandbox(code));
    expect(isError, text).toBe(false);
    expect(text).toMatch(expected);
  });

  it.each([
    ['an argument of commands.run as a list', 'sbx.commands.run("echo", ["a"])', /cmd is one string/],
    ['a path that is not text', 'sbx.files.write(5, "x")', /files\.write\(path, data\)/],
    ['an invalid id', 'Sandbox.connect({})', /sandbox id/],
    ['data that is not text', 'sbx.files.write("/tmp/x", { a: 1 })', /string or a Uint8Array/],
    ['a method of another SDK', 'sbx.exec("ls")', /commands\.run/],
  ])('%s rejects and does not throw synchronously', async (_what, call, expected) => {
    const { text } = await run(
      inSandbox(
        `let at = 'rejected'; try { await ${call}.catch(e => { at += ': ' + e.message }) } catch (e) { at = 'thrown: ' + e.message } return at`,
      ),
    );
    expect(text).toMatch(/rejected: /);
    expect(text).toMatch(expected);
  });

  it('a list with invalid options rejects as well', async () => {
    const { text } = await run(
      'async () => { let list; try { list = Sandbox.list(5) } catch { return "thrown" } return list.then(() => "read", e => `rejected: ${e.message}`) }',
    );
    expect(text).toContain('rejected: The options must be an object');
  });

  it.each([
    [
      'a callback in another spelling',
      'sbx.commands.run("ls", { on_stdout: () => {} })',
      /no option on_stdout: it is onStdout/,
    ],
    ['no network rules', 'sbx.updateNetwork()', /give all the rules/],
    ['no context', 'sbx.removeCodeContext()', /context: is not a context/],
    ['no port to wait for', 'sbx.waitForPort()', /port is the number of a port/],
    ['a time that is not a date', 'sbx.getMetrics({ start: "x" })', /start: is not a date/],
    ['a list of none', 'Promise.resolve(Sandbox.list({ limit: 0 }))', /limit/],
  ])('%s is refused with the reason', async (_what, call, expected) => {
    const { text } = await run(inSandbox(`return ${call}.then(() => 'taken', e => 'refused: ' + e.message)`));
    expect(text).toMatch(/refused: /);
    expect(text).toMatch(expected);
  });

  it.each([
    [
      'by a helper beside the main function',
      'const idOf = item => item.sandboxId;\nasync function main() { return (await LIST).data.map(idOf) }',
    ],
    ['in a bare body', 'const { data } = await LIST; return data.map(({ sandboxId }) => sandboxId)'],
    ['in an expression', '(await LIST).data.map(item => item.sandboxId)'],
  ])("reads an id of a REST response in the SDK's spelling %s", async (_how, code) => {
    const made = await run('async () => (await Sandbox.create({ timeoutMs: 60_000 })).sandboxId');
    const [, id = ''] = /^(i\w{15,})$/m.exec(made.text) ?? [];
    expect(id).not.toBe('');
    const { text } = await run(code.replace('LIST', 'api.request({ method: "GET", path: "/v2/sandboxes" })'));
    await run(`async () => Sandbox.kill("${id}")`);
    expect(text).toContain(id);
    expect(text).toContain('In REST answers it is written sandboxID');
  });

  it('the older name of pause works', async () => {
    const { text } = await run(inSandbox('return [await sbx.betaPause(), await sbx.isRunning()]'));
    expect(text).toContain('[true,false]');
  });

  it('waitForPort waits until a server listens or the timeout is reached', async () => {
    const { text } = await run(
      inSandbox(
        'return await sbx.waitForPort(3999, { timeoutMs: 300 }).catch(e => [e instanceof TimeoutError, e.message])',
      ),
    );
    expect(text).toMatch(/\[true,"Port 3999 is not open after 300 ms/);
    const open = await run(inSandbox('await sbx.waitForPort(49999, { timeoutMs: 5_000 }); return "open"'));
    expect(open.text).toMatch(/^"?open"?$/m);
  });

  it('a list that is not awaited fails with a hint', async () => {
    for (const use of ['.length', '.map(s => s.sandboxId)'])
      expect((await run(`async () => Sandbox.list()${use}`)).text).toMatch(/An `await` is missing/);
  });
});
