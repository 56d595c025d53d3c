// The data plane as an agent uses it: a client, the gateway, the engine, the SDK and local mode. One test for each row
// of the table that compares the tools of other servers, then the behaviour that only the guest sees.
import { describe, expect, it } from 'vitest';
import { ROWS } from '../../web/try/examples.ts';
import { connect } from '../support/clients.ts';
import { useGateway } from '../support/e2e.ts';
import { newKey, startTestGateway } from '../support/gateway.ts';
import { sendJson, startUpstream } from '../support/upstream.ts';

const e2e = useGateway();

const write = async (code: string) => {
  const answer = await e2e.client.call('execute_write', code);
  expect(answer.isError, answer.text).toBe(false);
  return answer;
};

describe('the tools of other servers have a counterpart', () => {
  it.each(ROWS.map(row => [row.they, row] as const))('%s', async (_they, { code, expected }) => {
    const answer = await write(code);
    for (const pattern of expected) expect(answer.text).toMatch(pattern);
  });

  it('an image arrives as an image', async () => {
    const { content } = await write(ROWS.find(({ they }) => they === 'images and plots')?.code ?? '');
    const image = content.find(({ type }) => type === 'image');
    expect(image).toMatchObject({ mimeType: 'image/png' });
    expect(Buffer.from(String(image?.data), 'base64').subarray(1, 4).toString()).toBe('PNG');
  });

  it('search finds and describes the methods', async () => {
    const { text } = await e2e.client.call(
      'search',
      `async () => [find('run a command')[0].operation, find('run python code')[0].operation, find('read a file')[0].operation, describe('Sandbox.commands.run'), describe('Sandbox').split('\\n').length]`,
    );
    expect(text).toMatch(/Sandbox\.commands\.run.*Sandbox\.runCode.*Sandbox\.files\.read/s);
    expect(text).toContain('exitCode');
  });
});

describe('from the guest', () => {
  it('a list can be awaited, paged and iterated', async () => {
    const { text } = await write(`async () => {
      await Promise.all([1, 2, 3].map(() => Sandbox.create()));
      const awaited = await Sandbox.list({ limit: 2 });
      const pages = Sandbox.list({ limit: 2 });
      const sizes = [];
      while (pages.hasNext) sizes.push((await pages.nextItems()).length);
      let looped = 0;
      for await (const { startedAt } of Sandbox.list({ limit: 1 })) if (startedAt instanceof Date) looped++;
      const both = await Sandbox.list();
      const page = [both.hasNext, (await both.nextItems()).length, both.hasNext];
      const over = await both.nextItems().catch(error => error.message);
      return { awaited: awaited.length, sizes, looped, both: [...page, over] };
    }`);
    expect(text).toContain('{"awaited":2,"sizes":[2,1],"looped":3,"both":[true,3,false,"No more items to fetch"]}');
  });

  it('an awaited list has all pages', async () => {
    const upstream = await startUpstream();
    const last = 25;
    upstream.answer = ({ url }, response) => {
      const page = Number(new URL(url, upstream.url).searchParams.get('nextToken') ?? 1);
      const items = Array.from({ length: 100 }, (_, i) => ({ sandboxID: `i${page}x${i}`, templateID: 'base' }));
      sendJson(response, items, 200, page < last ? { 'x-next-token': String(page + 1) } : {});
    };
    const other = await startTestGateway({ env: { E2B_API_URL: upstream.url } });
    const agent = await connect(other.mcpUrl, newKey());
    const { text } = await agent.call(
      'execute_read',
      'async () => new Set((await Sandbox.list()).map(({ sandboxId }) => sandboxId)).size',
    );
    expect(text).toContain(String(last * 100));
    await agent.close();
    await other.close();
    await upstream.close();
  });

  it('callbacks get output and results as in the SDK', async () => {
    const { text } = await write(`async () => {
      const seen = [];
      const note = name => event => seen.push([name, event.line ?? event.text ?? event.name ?? event]);
      const sbx = await Sandbox.create();
      await sbx.commands.run('echo out; echo err >&2', { onStdout: note('stdout'), onStderr: note('stderr') });
      await sbx.runCode("print('p')\\n1", { onStdout: note('line'), onResult: note('result') });
      await sbx.runCode('1/0', { onError: note('error') });
      return seen;
    }`);
    expect(text).toContain(
      '[["stdout","out\\n"],["stderr","err\\n"],["line","p\\n"],["result","1"],["error","ZeroDivisionError"]]',
    );
  });

  it('callbacks run while the command or code runs', async () => {
    const { text } = await write(`async () => {
      const sbx = await Sandbox.create(), seen = [];
      const until = path => 'until [ -f ' + path + ' ]; do sleep 0.02; done';
      await sbx.commands.run('echo first; ' + until('/tmp/a') + '; echo last', {
        onStdout: async text => { seen.push(text); if (text.includes('first')) await sbx.files.write('/tmp/a', '') },
      });
      const waits = 'import os, time\\nprint("first")\\nwhile not os.path.exists("/tmp/b"): time.sleep(0.02)\\nprint("last")';
      await sbx.runCode(waits, {
        onStdout: async message => {
          seen.push(String(message), message.error, typeof message.timestamp);
          if (message.line.includes('first')) await sbx.files.write('/tmp/b', '');
        },
      });
      const reader = await sbx.commands.run('read x; echo got $x', {
        background: true, stdin: true, onStdout: text => void seen.push(text),
      });
      await sbx.commands.run(until('/tmp/c'), { background: true, timeoutMs: 5_000 });
      await reader.sendStdin('line\\n');
      await reader.wait();
      const known = await sbx.commands.run('read x; echo $x', { background: true, stdin: true });
      const again = await sbx.commands.connect(known.pid, { onStdout: text => void seen.push(text) });
      await again.sendStdin('again\\n');
      await again.wait();
      return seen;
    }`);
    expect(text).toContain(
      JSON.stringify([
        'first\n',
        'last\n',
        'first\n',
        false,
        'number',
        'last\n',
        false,
        'number',
        'got line\n',
        'again\n',
      ]),
    );
  });

  it("errors have the SDK's names or the gateway's codes", async () => {
    const { text } = await write(`async () => {
      const sbx = await Sandbox.create();
      const seen = async ask => { try { return await ask(); } catch (error) { return [error instanceof Error, error.name, error.code]; } };
      return [
        await seen(() => sbx.files.read('/nope')),
        await seen(() => Sandbox.connect('i00000000000000000000')),
        await seen(() => sbx.commands.run('true', { timeout: 5 })),
        await seen(() => sbx.files.write('/tmp/a', { not: 'text' })),
        await seen(() => Sandbox.create({ network: { denyOut: ({ allTraffic }) => [allTraffic] } })),
        await seen(() => Sandbox.create({ network: { rules: { a: [{ transform: () => ({}) }] } } })),
      ].map((each, i) => (i === 4 ? typeof each.sandboxId : each));
    }`);
    expect(text).toContain(
      '[[true,"FileNotFoundError",null],[true,"SandboxNotFoundError",null],[true,"GatewayError","request_invalid"],[true,"TypeError",null],"string",[true,"TypeError",null]]',
    );
  });

  it.each([
    ['new Sandbox()', /Sandbox\.create/],
    ['(await Sandbox.create()).close()', /kill\(\)/],
    ['(await Sandbox.create()).process.start', /commands\.run/],
    ["(await Sandbox.create()).git.clone('x')", /git clone/],
    ["(await Sandbox.create()).files.watchDir('/')", /files\.list/],
    ['Sandbox.connect()', /sandbox id/],
    ["(await Sandbox.create()).files.read('/a', { format: 'stream' })", /bytes/],
  ])('%s fails with what to use instead', async (code, hint) => {
    const answer = await e2e.client.call('execute_write', `async () => ${code}`);
    expect(answer.isError).toBe(true);
    expect(answer.text).toMatch(hint);
  });

  it('an instance has only its id as property', async () => {
    const { text } = await write(`async () => {
      const sbx = await Sandbox.create();
      return { sbx, keys: Object.keys(sbx), again: (await Sandbox.connect(sbx)).sandboxId === sbx.sandboxId };
    }`);
    expect(text).toMatch(/\{"sbx":\{"sandboxId":"i[a-z0-9]{20}"\},"keys":\["sandboxId"\],"again":true\}/);
  });

  it('execute_read reads in a sandbox and changes nothing', async () => {
    const { text } = await write(
      `async () => { const sbx = await Sandbox.create(); await sbx.files.write('/tmp/a', 'x'); return sbx }`,
    );
    const id = /"sandboxId":"(\w+)"/.exec(text)?.[1];
    const read = await e2e.client.call(
      'execute_read',
      `async () => {
        const sbx = await Sandbox.connect('${id}');
        const no = await Promise.all([sbx.kill(), sbx.commands.run('true'), sbx.files.write('/tmp/a', 'y'), sbx.runCode('1')].map(each => each.catch(error => error.code)));
        return { content: await sbx.files.read('/tmp/a'), running: await sbx.isRunning(), no };
      }`,
    );
    expect(read.text).toContain(
      `{"content":"x","running":true,"no":["method_refused","method_refused","method_refused","method_refused"]}`,
    );
  });

  it('lines of commands and code arrive as progress', async () => {
    const messages: string[] = [];
    await e2e.client.call(
      'execute_write',
      `async () => { const sbx = await Sandbox.create(); await sbx.commands.run('echo from a command'); await sbx.runCode("print('from code')") }`,
      { onProgress: message => messages.push(message) },
    );
    expect(messages.join('\n')).toMatch(/from a command[\s\S]*from code/);
  });

  it('a key that a program prints is masked in callbacks, results and progress alike', async () => {
    const key = newKey();
    const own = await connect(e2e.gateway.mcpUrl, key);
    const messages: string[] = [];
    const { text } = await own.call(
      'execute_write',
      `async () => {
        const sbx = await Sandbox.create(), seen = [];
        const note = event => void seen.push(event.line ?? event.text ?? event.value ?? event);
        const { stdout } = await sbx.commands.run('echo c-${key}', { onStdout: note });
        await sbx.runCode("print('p-${key}')\\n'r-${key}'", { onStdout: note, onResult: note });
        await sbx.runCode("raise ValueError('e-${key}')", { onError: note });
        await sbx.runCode("class ${key}(Exception): pass\\nraise ${key}()");
        await sbx.commands.run('echo s-${key} >&2; exit 3', { onStderr: note });
        const ran = await sbx.runCode("print('l-${key}')\\n'v-${key}'");
        const failed = await sbx.runCode("raise ValueError('f-${key}')");
        return [stdout, ...seen, ran.logs.stdout.join(''), ran.text, failed.error.value, failed.error.traceback.includes('f-[redacted]')];
      }`,
      { onProgress: message => messages.push(message) },
    );
    expect(text).toContain(
      '["c-[redacted]\\n","c-[redacted]\\n","p-[redacted]\\n","r-[redacted]","e-[redacted]","s-[redacted]\\n","l-[redacted]\\n","v-[redacted]","f-[redacted]",true]',
    );
    expect(text).toMatch(/exit 3.*s-\[redacted\]/);
    expect(messages.join('\n')).toContain('c-[redacted]');
    expect(text + messages.join('\n')).not.toContain(key);
    await own.close();
  });
});

it('MAX_SANDBOXES_PER_KEY limits the sandboxes of a key', async () => {
  const limited = await startTestGateway({ env: { MAX_SANDBOXES_PER_KEY: '1' } });
  const own = await connect(limited.mcpUrl, newKey());
  const answer = await own.call(
    'execute_write',
    `async () => {
      await Sandbox.create();
      const post = api.request({ method: 'POST', path: '/v2/sandboxes', body: { templateID: 'base' } });
      return Promise.all([Sandbox.create(), post].map(each => each.catch(error => error.code)));
    }`,
  );
  expect(answer.text).toContain('["sandbox_limit","sandbox_limit"]');
  await own.close();
  await limited.close();
});

it('the methods work the same with the microVM engine', async () => {
  const inMicroVm = await startTestGateway({ shell: 'process', env: { SANDBOX_ENGINE: 'e2b' } });
  const own = await connect(inMicroVm.mcpUrl, newKey());
  for (const they of [
    'read_file, write_file, create_file, list_files, upload_file, download_file',
    'several sandboxes at once',
  ]) {
    const row = ROWS.find(each => each.they === they);
    const answer = await own.call('execute_write', row?.code);
    expect(answer.isError, answer.text).toBe(false);
    for (const pattern of row?.expected ?? []) expect(answer.text).toMatch(pattern);
  }
  await own.close();
  await inMicroVm.close();
});
