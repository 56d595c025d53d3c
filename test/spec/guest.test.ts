// The search runs inside the guest: QuickJS without Intl, URL, timers or Node gives the same results as Node.
import { readFile } from 'node:fs/promises';
import { build } from 'esbuild';
import { QuickJS } from 'quickjs-wasi';
import { expect, it } from 'vitest';
import { loadDescription } from '../../src/spec/load.ts';
import { createSearch } from '../../src/spec/search.ts';

it('the search in QuickJS returns the same as in Node', async () => {
  const { outputFiles } = await build({
    entryPoints: ['src/spec/search.ts'],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'bundle',
    target: 'es2023',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    logLevel: 'silent',
  });
  const wasm = await readFile(new URL(import.meta.resolve('quickjs-wasi/quickjs.wasm')));
  const description = await loadDescription('openapi/e2b.yaml');
  const outside = createSearch(description);
  const ask = `const out = {
    find: search.find('how do I make a vm sleep', { limit: 3 }),
    typo: search.find('list runing sandboxs', { limit: 3 }),
    described: search.describe('post /v2/sandboxes/'),
    unknown: search.describe('POST /sandbox'),
    paths: Object.keys(search.spec.paths).length,
  };`;
  const expected = new Function('search', `${ask} return JSON.stringify(out)`)(outside);

  const vm = await QuickJS.create({ wasm });
  try {
    vm.evalCode(
      `${outputFiles[0]?.text}; globalThis.search = bundle.createSearch(JSON.parse(${JSON.stringify(JSON.stringify(description))}));`,
    ).dispose();
    const inside = vm.evalCode(`(() => { ${ask} return JSON.stringify(out) })()`);
    expect(JSON.parse(inside.toString())).toEqual(JSON.parse(expected));
    const refused = vm.evalCode(
      `(() => { try { search.find(42) } catch (error) { return error.name + ': ' + error.message } })()`,
    );
    expect(refused.toString()).toMatch(/^TypeError: find\(\) needs a text/);
  } finally {
    vm.dispose();
  }
});
