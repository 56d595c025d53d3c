// `pnpm mcpb`: makes dist/e2b-code-mode.mcpb, the bundle that Claude Desktop installs with a click. Copies its content
// to dist/mcpb; the official packer checks the manifest and packs it.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';

const PACKER = '@anthropic-ai/mcpb@2.1.2';
const FOLDER = 'dist/mcpb';
const BUNDLE = 'dist/e2b-code-mode.mcpb';

const { name, version, description, license, type, engines, homepage, dependencies } = JSON.parse(
  readFileSync('package.json', 'utf8'),
);

/** A placeholder that the client replaces. */
const filledIn = place => `\${${place}}`;

const manifest = {
  manifest_version: '0.3',
  name,
  display_name: 'E2B code mode',
  version,
  description,
  author: { name: 'The e2b-code-mode authors' },
  homepage,
  license,
  icon: 'icon.png',
  server: {
    type: 'node',
    entry_point: 'dist/main.js',
    mcp_config: {
      command: 'node',
      args: [`${filledIn('__dirname')}/dist/main.js`, '--stdio'],
      env: { E2B_API_KEY: filledIn('user_config.api_key') },
    },
  },
  tools: [
    { name: 'search', description: "Finds E2B's operations and how to call them." },
    { name: 'execute_read', description: 'Runs code that reads from E2B.' },
    { name: 'execute_write', description: 'Runs code that may change anything at E2B.' },
  ],
  // `sensitive` makes the client store the key in the system's key store and hide it.
  user_config: {
    api_key: {
      type: 'string',
      title: 'E2B API key',
      description: 'From the E2B dashboard: it starts with e2b_.',
      sensitive: true,
      required: true,
    },
  },
  compatibility: { platforms: ['darwin', 'win32', 'linux'], runtimes: { node: engines.node } },
};

/** The bundle serves stdio only, so it has the page's icons but not the page, no local mode and no source maps. */
const LEFT_OUT = /\.map$|\/chunks\/.*\.wasm$|\/page\/(?!icon)[^/]+$/;

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(`${FOLDER}/node_modules`, { recursive: true });
for (const entry of [
  'broker',
  'chunks',
  'description',
  'engine',
  'guest',
  'mcp',
  'spec',
  'page',
  'main.js',
  'THIRD_PARTY.txt',
])
  cpSync(`dist/${entry}`, `${FOLDER}/dist/${entry}`, { recursive: true, filter: path => !LEFT_OUT.test(path) });
for (const file of ['openapi/e2b.yaml', 'openapi/e2b.capabilities.yaml', 'LICENSE']) cpSync(file, `${FOLDER}/${file}`);
for (const dependency of Object.keys(dependencies))
  cpSync(`node_modules/${dependency}`, `${FOLDER}/node_modules/${dependency}`, { recursive: true, dereference: true });
cpSync('web/icon.png', `${FOLDER}/${basename(manifest.icon)}`);
writeFileSync(`${FOLDER}/package.json`, JSON.stringify({ name, version, type, license }));
writeFileSync(`${FOLDER}/manifest.json`, JSON.stringify(manifest, null, 2));
execFileSync('npx', ['-y', 'pnpm@10', 'dlx', PACKER, 'pack', FOLDER, BUNDLE], { stdio: 'inherit' });
