// Hints for calls of something that is not a function: which methods there are. Pure.
import { API_METHOD } from '../absent.ts';
import type { Callee } from './callee.ts';

const STATICS = 'create, connect, list, kill, pause, setTimeout, getInfo, getMetrics, listSnapshots, deleteSnapshot';
const MEMBERS =
  'kill, pause, setTimeout, getInfo, getMetrics, isRunning, getHost, downloadUrl, uploadUrl, fetch, runCode, createSnapshot, files, commands';
const FILES = 'read, write, list, exists, getInfo, makeDir, rename, remove';
const COMMANDS = 'run, list, kill, connect, sendStdin, closeStdin';
const HANDLE = 'pid, logPath, wait, output, kill, sendStdin, closeStdin';
const RESPONSE = 'status, ok, headers, text, json, bytes, arrayBuffer';
const MORE = 'In search: describe("Sandbox").';

type Called = { readonly text: string; readonly callees: readonly Callee[] };

/** The hint for the first callee that has one. */
export function hintForCallees({ text, callees }: Called): string | undefined {
  for (const callee of callees) {
    const hint = hintFor(callee, text);
    if (hint !== undefined) return hint;
  }
  return undefined;
}

function hintFor(callee: Callee, text: string): string | undefined {
  const { text: path, as } = callee;
  if (as === 'loop') {
    return isNamed(path, text, HANDLES) || /\.run\(…\)$/.test(path)
      ? `Output does not stream here: \`await ${path}.output()\` is what there is so far, \`await ${path}.wait()\` all of it.`
      : undefined;
  }
  if (/^api\.\w+$/.test(path)) return API_METHOD;
  if (path === 'api') return 'api is an object: api.request({ method, path, query, body }).';
  const [, owner = '', method = ''] = /^(.*)\.([\w$]+)$/.exec(path) ?? [];
  if (owner === '') return undefined;
  if (owner === 'Sandbox') return `Sandbox has: ${STATICS}. ${MORE}`;
  if (/\.files$/.test(owner)) return `files has: ${FILES}. ${MORE}`;
  if (/\.commands$/.test(owner)) return `commands has: ${COMMANDS}. ${MORE}`;
  if (isNamed(owner, text, HANDLES)) return `A command in the background has: ${HANDLE}. ${MORE}`;
  if (isNamed(owner, text, RESPONSES)) return `A response of fetch has: ${RESPONSE}.`;
  if (isNamed(owner, text, SANDBOXES) || /^(?:sandbox|sbx)$/.test(owner)) return `A sandbox has: ${MEMBERS}. ${MORE}`;
  if (/\bSandbox\.list\s*\(/.test(text) && /^(?:kill|pause|setTimeout|getInfo|getMetrics|connect)$/.test(method)) {
    return `Sandbox.list() lists plain data: Sandbox.${method}(${owner}.sandboxId).`;
  }
  if (/^(?:json|text|blob|arrayBuffer)$/.test(method) && (isNamed(owner, text, ANSWERS) || onlyApi(text))) {
    return 'api.request answers { status, ok, data, headers }: data is parsed already, so there is no json() or text().';
  }
  return undefined;
}

const SANDBOXES = String.raw`Sandbox\.(?:create|connect)`;
const HANDLES = String.raw`[\w$.]{1,60}\.commands\.(?:run|connect)`;
const RESPONSES = String.raw`[\w$]{1,60}\.fetch`;
const ANSWERS = String.raw`api\.request`;

const onlyApi = (text: string): boolean => /api\.request/.test(text) && !/\bSandbox\./.test(text);

/** Whether `name` is a variable to which the result of `call` was assigned. */
function isNamed(name: string, text: string, call: string): boolean {
  if (!/^[A-Za-z_$][\w$]{0,60}$/.test(name)) return false;
  return new RegExp(String.raw`(?<![\w$.])${name.replaceAll('$', '\\$')}\s*=\s*await\s+${call}\s*\(`).test(text);
}
