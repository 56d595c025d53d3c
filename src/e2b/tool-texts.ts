// What the model is told it can use, per surface: this is the tool text. A test runs every example in it and pins the
// globals it names to what the engines really offer.

const FUNCTION = `\`code\` is one async JavaScript or TypeScript function, e.g. \`async () => { … return value }\`. It runs alone in a fresh sandbox without network, files or imports; only what it returns (JSON) and prints (console) comes back.`;

export const SEARCH = `Look up how to drive E2B (cloud sandboxes that run code): its REST operations and the Sandbox SDK methods usable in execute_read and execute_write. ${FUNCTION}

\`\`\`ts
// Ranked; plain questions, synonyms and typos are fine.
declare function find(query: string, options?: { limit?: number }): { operation: string; summary: string; score: number }[];
// Compact signature of one: parameters, body, answer, example.
declare function describe(operation: string): string;
// OpenAPI, $refs resolved, keyed by path, then by lower-case method.
declare const spec: { paths: Record<string, Record<string, { summary: string; parameters: any[]; requestBody?: any; responses: any }>> };
\`\`\`

\`\`\`js
async () => find('pause a sandbox', { limit: 3 }).map(hit => describe(hit.operation)).join('\\n')
\`\`\``;

const API = `// Non-2xx does not throw: check ok. data is parsed JSON. More pages: query.nextToken = headers['x-next-token'].
declare const api: { request(r: { method: string; path: string; query?: object; body?: any }): Promise<{ status: number; ok: boolean; data: any; headers: Record<string, string> }> };`;

const DISPLAY = `// Shows images and files to the user: an execution's result, { mimeType, data } or bytes.
declare function display(value: any): void;`;

export const READ = `Read from E2B with the caller's key; nothing can be changed here. ${FUNCTION} Use loops, filters and Promise.all: one call here replaces many. Unsure of a path or field? Ask \`search\` first.

\`\`\`ts
${API}
// As in the official JS SDK, reads only: connect() neither resumes nor extends a sandbox.
declare class Sandbox {
  static list(opts?: { query? }): Promise<{ sandboxId, templateId, state, startedAt, endAt, metadata }[]>;
  static connect(id): Promise<Sandbox>;
  getInfo(); getMetrics(); isRunning(); getHost(port); downloadUrl(path);
  files: { read(path, { format: 'bytes' }?); list(path, { depth }?); exists(path); getInfo(path) };
  commands: { list() };
}
${DISPLAY}
\`\`\`

\`\`\`js
async () => {
  const { data } = await api.request({ method: 'GET', path: '/v2/sandboxes', query: { state: ['running'] } });
  return data.map(({ sandboxID, templateID, endAt }) => ({ sandboxID, templateID, endAt }));
}
\`\`\``;

export const write = (
  seconds: number,
) => `Drive E2B with the caller's key: reads and changes, deletion included. ${FUNCTION} Use loops and Promise.all, return only what is needed, kill what is not. One call may take ${seconds} s. Unsure of a path or field? Ask \`search\` first.

\`\`\`ts
${API}
// As in the official JS SDK (e2b, @e2b/code-interpreter); more: search. A non-zero exitCode is a result.
declare class Sandbox {
  static create(template?, opts?: { timeoutMs, metadata, envs, allowInternetAccess }): Promise<Sandbox>;
  static connect(id): Promise<Sandbox>; // resumes
  static list(): Promise<{ sandboxId, state, endAt }[]>;
  sandboxId; kill(); pause(); setTimeout(ms); getInfo(); getHost(port); downloadUrl(path);
  commands: { run(cmd, { background, cwd, envs, timeoutMs }?): Promise<{ exitCode, stdout, stderr }> }; // background: { pid, output(), wait(), kill() }, outlives this call; its output does not: > file
  files: { read(path, { format: 'bytes' }?); write(path, data); list(path) };
  runCode(code, { language, context }?): Promise<{ text, results, logs, error }>;
  fetch(port, path, init?): Promise<Response>; // a server inside
}
${DISPLAY}
\`\`\`

\`\`\`js
async () => {
  const sbx = await Sandbox.create({ timeoutMs: 120_000 });
  try {
    await sbx.files.write('/tmp/n', '1 2 3');
    const { text, error } = await sbx.runCode("sum(map(int, open('/tmp/n').read().split()))");
    return error ?? text;
  } finally {
    await sbx.kill();
  }
}
\`\`\``;
