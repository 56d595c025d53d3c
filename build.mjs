// Builds dist/: the program and its threads as few files, and the scripts that run inside guests, each bundled whole.
//   node build.mjs            what the package needs
//   node build.mjs bench …    with those entry points as well
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { build } from 'esbuild';
import { writeThirdParty } from './third-party.mjs';
import { buildPage } from './web/build.mjs';

const common = { bundle: true, logLevel: 'warning', legalComments: 'none', treeShaking: true, metafile: true };

/** What Node runs. Chunks are shared, so a thread loads only what it needs. */
const programs = {
  main: 'src/boot.ts',
  'spec/prepare-thread': 'src/spec/prepare-thread.ts',
  'guest/accept/thread': 'src/guest/accept/thread.ts',
  'guest/accept/plain': 'src/guest/accept/plain.ts',
  'mcp/answer/thread': 'src/mcp/answer/thread.ts',
  'http/unpack-thread': 'src/http/unpack-thread.ts',
  'broker/answer-thread': 'src/broker/answer-thread.ts',
  'engine/quickjs/engine': 'src/engine/quickjs/engine.ts',
  'engine/quickjs/worker': 'src/engine/quickjs/worker.ts',
  'engine/quickjs/imager': 'src/engine/quickjs/imager.ts',
  'engine/quickjs/warmer': 'src/engine/quickjs/warmer.ts',
  'engine/microvm/engine': 'src/engine/microvm/engine.ts',
  'ready-made': 'src/ready-made.ts',
  'local/start': 'local/start.ts',
  'local/programs/python/worker': 'local/programs/python/worker.ts',
  'local/programs/javascript/worker': 'local/programs/javascript/worker.ts',
};

/** What runs inside a guest of the embedded engine: smaller text is a smaller image. */
const preludes = Object.fromEntries(
  ['search', 'execute', 'url', 'intl/intl'].map(name => [name.split('/').at(-1), `src/guest/prelude/${name}.ts`]),
);

/** What runs in Node inside a microVM. */
const RUNNER = 'src/engine/microvm/runner';

/** What Node's modules as libraries share with the runtime they are loaded into, they get from it. */
const sharedWithRuntime = {
  name: 'shared-with-runtime',
  setup({ onResolve }) {
    onResolve({ filter: /^(buffer|events|process)\/?$/ }, ({ path }) => ({
      path: path.replace(/\/$/, ''),
      external: true,
    }));
    onResolve({ filter: /^\.\/(fetch|host|inspect|loop)\.ts$/ }, ({ path }) => ({
      path: `runtime:${path.slice(2, -3)}`,
      external: true,
    }));
    // Their util shows values as Node does; only ours asks for the library itself.
    onResolve({ filter: /^util\/?$/ }, ({ importer }) =>
      importer.endsWith('runtime/util.ts') ? undefined : { path: resolve('local/programs/javascript/runtime/util.ts') },
    );
  },
};

/** Installed beside the build instead of bundled into it: what has files of its own, WebAssembly or other programs. */
const INSTALLED = ['@swc/wasm-typescript', 'quickjs-wasi'];

const JUST_BASH = realpathSync('node_modules/just-bash');

/** What just-bash would load for compressed archives if they were there: both come with native build scripts. */
const NATIVE = ['@mongodb-js/zstd', 'node-liblzma'];

/** E2B's SDK in CommonJS, and the openapi-fetch that is resolved from there: see src/e2b/sdk-modules.ts. */
const sdkInCommonJs = {
  name: 'sdk-in-commonjs',
  setup({ onLoad }) {
    onLoad({ filter: /src[\\/]e2b[\\/]sdk-modules\.ts$/ }, () => ({
      contents: `export const openapiFetchModule = require('openapi-fetch');
        export const sdkModule = require(${JSON.stringify(resolve('node_modules/@e2b/code-interpreter'))});`,
      resolveDir: dirname(realpathSync('node_modules/e2b/package.json')),
    }));
  },
};

/** Fifty languages of error messages, of which one is used. */
const oneLanguage = {
  name: 'one-language',
  setup({ onLoad }) {
    onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({ contents: `export { default as en } from './en.js'` }));
  },
};

/** Of packages, what nothing here uses: each start would read it. */
const parts = {
  name: 'parts',
  setup({ onLoad }) {
    // Tables of the character sets of East Asia and of old systems, for bodies of requests: JSON is UTF-8.
    onLoad({ filter: /[\\/]iconv-lite[\\/]encodings[\\/](dbcs-data|sbcs-data-generated)\.js$/ }, () => ({
      contents: 'module.exports = {}',
    }));
    // Express asks for the character set of what it sends.
    onLoad({ filter: /[\\/]mime-db[\\/]db\.json$/ }, ({ path }) => {
      const types = Object.entries(JSON.parse(readFileSync(path, 'utf8')));
      const used = types.filter(([name, { charset }]) => charset !== undefined || name.startsWith('text/'));
      return { contents: JSON.stringify(Object.fromEntries(used)), loader: 'json' };
    });
    // Counters in a dozen databases.
    onLoad({ filter: /[\\/]rate-limiter-flexible[\\/]index\.js$/ }, ({ path }) => ({
      contents: ['RateLimiterMemory', 'RateLimiterRedis', 'RateLimiterRes']
        .map(name => `exports.${name} = require('./lib/${name}')`)
        .join('\n'),
      resolveDir: dirname(path),
    }));
  },
};

const steps = [
  {
    entryPoints: programs,
    outdir: 'dist',
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    external: [...INSTALLED, ...NATIVE].flatMap(name => [name, `${name}/*`]),
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    sourcemap: true,
    minifySyntax: true,
    minifyWhitespace: true,
    sourcesContent: false,
    plugins: [oneLanguage, sdkInCommonJs, parts],
    // Packages in CommonJS ask for Node's modules with it.
    banner: {
      js: `import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);`,
    },
  },
  {
    entryPoints: preludes,
    outdir: 'dist/guest/prelude',
    format: 'iife',
    target: 'es2023',
    minifySyntax: true,
    minifyWhitespace: true,
  },
  {
    entryPoints: [`${RUNNER}/main.ts`, `${RUNNER}/watch.ts`],
    outdir: 'dist/engine/microvm/runner',
    platform: 'node',
    format: 'cjs',
    target: 'node18',
    minify: true,
  },
  {
    entryPoints: [`${RUNNER}/ground.ts`, `${RUNNER}/newer.ts`],
    outdir: 'dist/engine/microvm/runner',
    format: 'iife',
    target: 'es2022',
    minify: true,
  },
  {
    entryPoints: ['local/programs/javascript/runtime/entry.ts'],
    outdir: 'dist/local/programs/javascript/runtime',
    format: 'iife',
    target: 'es2023',
    minifySyntax: true,
    minifyWhitespace: true,
  },
  {
    entryPoints: ['local/programs/javascript/runtime/library.ts'],
    outdir: 'dist/local/programs/javascript/runtime',
    format: 'cjs',
    target: 'es2023',
    minifySyntax: true,
    minifyWhitespace: true,
    // Errors are known by the names of their classes.
    keepNames: true,
    plugins: [sharedWithRuntime],
  },
  {
    // Where just-bash looks for it.
    entryPoints: { 'sqlite3-worker': `${JUST_BASH}/dist/commands/sqlite3/worker.js` },
    outdir: 'dist/chunks',
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    banner: {
      js: `import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url); const __dirname = import.meta.dirname;`,
    },
  },
  {
    entryPoints: ['sitecustomize', 'local_subprocess', 'local_network', 'local_kernel'].map(
      name => `local/programs/python/${name}.py`,
    ),
    outdir: 'dist/local/programs/python',
    loader: { '.py': 'copy' },
  },
];

// Names hold what the files are made of: those of earlier builds would stay.
for (const folder of ['chunks', 'engine/quickjs/images']) rmSync(`dist/${folder}`, { recursive: true, force: true });
const built = await Promise.all([...steps.map(step => build({ ...common, ...step })), buildPage(common)]);
cpSync(`${JUST_BASH}/../sql.js/dist/sql-wasm.wasm`, 'dist/chunks/sql-wasm.wasm');
const cpython = 'dist/local/programs/python/cpython';
cpSync(`${JUST_BASH}/vendor/cpython-emscripten`, cpython, { recursive: true });
cpSync('licenses/CPYTHON.txt', `${cpython}/LICENSE.txt`);
writeThirdParty(
  built.map(({ metafile }) => metafile),
  'dist/THIRD_PARTY.txt',
);
execFileSync(process.execPath, ['dist/ready-made.js'], { stdio: 'inherit' });
