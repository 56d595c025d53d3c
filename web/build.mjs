// Builds dist/page: scripts and styles with a hash of their content in the name, compressed copies of each, and the
// list files.json, which http/page.ts reads.
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';
import { build } from 'esbuild';
import { parse } from 'yaml';

const OUT = 'dist/page';
const TYPES = { '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8' };

/** Imports descriptions (YAML) as data. */
const yaml = {
  name: 'yaml',
  setup({ onLoad }) {
    onLoad({ filter: /\.yaml$/ }, async ({ path }) => ({
      contents: JSON.stringify(parse(await readFile(path, 'utf8'))),
      loader: 'json',
    }));
  },
};

export async function buildPage(common) {
  const built = await build({
    ...common,
    entryPoints: { main: 'web/main.tsx', page: 'web/style/page.css' },
    outdir: OUT,
    format: 'esm',
    target: 'es2023',
    platform: 'browser',
    splitting: true,
    minify: true,
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    plugins: [yaml],
  });
  const { outputs } = built.metafile;
  await mkdir(OUT, { recursive: true });
  const made = Object.keys(outputs);
  await Promise.all(made.map(compress));
  await Promise.all(
    ['index.html', 'icon.svg', 'icon.png'].map(async name =>
      writeFile(`${OUT}/${name}`, await readFile(`web/${name}`)),
    ),
  );
  const entry = source => {
    const [file] = Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === source) ?? [];
    return basename(file);
  };
  const files = made.map(file => ({ name: basename(file), type: TYPES[extname(file)] }));
  const list = { script: entry('web/main.tsx'), style: entry('web/style/page.css'), files };
  await writeFile(`${OUT}/files.json`, JSON.stringify(list));
  return built;
}

/** Skips files that exist, since the name contains a hash of the content and the best compression takes seconds. */
async function compress(file) {
  if (existsSync(`${file}.br`) && existsSync(`${file}.gz`)) return;
  const bytes = await readFile(file);
  await Promise.all([
    promisify(brotliCompress)(bytes).then(small => writeFile(`${file}.br`, small)),
    promisify(gzip)(bytes, { level: 9 }).then(small => writeFile(`${file}.gz`, small)),
  ]);
}
