// The descriptions of the tools: all that a model knows before it uses search. Some clients cut a description at 1,024
// characters, so each is shorter. Tests run the examples and check that the named globals exist.
import type { ToolLimits } from '../api.ts';

/** Does not use Intl, whose first use adds several milliseconds to the start. */
const thousands = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',');

const FUNCTION = `\`code\`: one async JS/TS function, \`async () => { … return value }\`; no network, files or imports. Its result (JSON) and console output come back.`;

export const search =
  () => `Look up how to drive E2B (cloud sandboxes that run code): REST operations and the Sandbox methods usable in execute_read and execute_write. ${FUNCTION}

\`\`\`ts
// Ranked; plain questions, synonyms and typos are fine.
declare function find(query: string, options?: { limit?: number }): { operation: string; summary: string; score: number }[];
// Compact signature: parameters, body, answer, example.
declare function describe(operation: string): string;
// OpenAPI, $refs resolved, keyed by path, then by lower-case method.
declare const spec: { paths: Record<string, Record<string, any>> };
\`\`\`

\`\`\`js
async () => find('pause a sandbox', { limit: 3 }).map(hit => describe(hit.operation)).join('\\n')
\`\`\``;

const API = `declare const api: { request({ method, path, query?, body? }): Promise<{ status, ok, data, headers }> }; // non-2xx does not throw`;

export const read = ({
  resultChars,
}: ToolLimits) => `Read from E2B; nothing can be changed here. ${FUNCTION} Loops, Promise.all: one call replaces many. Unsure? Ask \`search\`.

\`\`\`ts
${API}
// As in the JS SDK, reads only; connect() neither resumes nor extends.
declare class Sandbox {
  static list({ limit, query: { metadata, state } }?); // { sandboxId, templateId, state, endAt, metadata }[]
  static connect(id);
  getInfo(); getMetrics(); isRunning(); getHost(port); downloadUrl(path);
  files: { read(path, { format: 'bytes' }?); list(path); exists(path); getInfo(path) };
  commands: { list() };
}
declare function display(value): void; // shows images, files
\`\`\`
Limits: file 5 MB, result ${thousands(resultChars)} characters.

\`\`\`js
async () => (await Sandbox.list({ query: { state: ['running'] } })).map(s => s.sandboxId)
\`\`\``;

export const write = ({
  wallMs,
  cpuMs,
  resultChars,
}: ToolLimits) => `Change things in E2B, deletion included. ${FUNCTION} Kill leftovers. Unsure? Ask \`search\`.

\`\`\`ts
${API}
declare class Sandbox { // as in the JS SDK
  static create(template?, { timeoutMs, envs }?); connect(id); list();
  sandboxId; kill(); pause(); setTimeout(ms); getHost(port); fetch(port, path);
  commands: { run(cmd, { background, cwd, timeoutMs }?); list(); kill(pid) }; // check exitCode
  files: { read, write, list, exists, getInfo, remove };
  runCode(code, { language, context }?); createCodeContext();
}
declare function display(value): void;
\`\`\`
Limits: call ${wallMs / 1000} s, CPU ${cpuMs / 1000} s, write 16 MB, read 5 MB, result ${thousands(resultChars)} chars.

\`\`\`js
async () => { const s = await Sandbox.create(); try { return await s.runCode('6 * 7') } finally { await s.kill() } }
\`\`\``;
