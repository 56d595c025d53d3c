// What the model is told it can use, per surface: this is the tool text. A test runs every example in it and pins the
// globals it names to what the engines really offer.

const FUNCTION = `\`code\` is one async JavaScript or TypeScript function, e.g. \`async () => { … return value }\`. It runs alone in a fresh sandbox without network, files or imports; only what it returns (JSON) and prints (console) comes back.`;

const SEARCH = `Look up how to drive E2B (cloud sandboxes that run code): its REST operations and the Sandbox SDK methods usable in execute_read and execute_write. ${FUNCTION}

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

const READ = `Read from E2B with the caller's key; nothing can be changed here. ${FUNCTION} Use loops, filters and Promise.all: one call here replaces many. Unsure of a path or field? Ask \`search\` first.

\`\`\`ts
${API}
\`\`\`

\`\`\`js
async () => {
  const { data } = await api.request({ method: 'GET', path: '/v2/sandboxes', query: { state: ['running'] } });
  return data.map(({ sandboxID, templateID, endAt }) => ({ sandboxID, templateID, endAt }));
}
\`\`\``;

const WRITE = `Drive E2B with the caller's key: reads and changes, deletion included. ${FUNCTION} Use loops and Promise.all, return only what is needed, and kill what is no longer needed. Unsure of a path or field? Ask \`search\` first.

\`\`\`ts
${API}
\`\`\`

\`\`\`js
async () => {
  const made = await api.request({ method: 'POST', path: '/v2/sandboxes', body: { templateID: 'base', timeout: 60 } });
  if (!made.ok) return made;
  const killed = await api.request({ method: 'DELETE', path: '/sandboxes/' + made.data.sandboxID });
  return { id: made.data.sandboxID, killed: killed.ok };
}
\`\`\``;

export const TOOL_TEXT = { search: SEARCH, read: READ, write: WRITE } as const;
