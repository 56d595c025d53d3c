// Reads the list of sandboxes from a response, and computes what the tab shows. All of it is untrusted text. Pure.
import type { Answer } from '../mcp.ts';

export type Sandbox = {
  readonly id: string;
  readonly template: string;
  readonly state: 'running' | 'paused';
  readonly startedAtMs: number;
  readonly endAtMs: number;
  readonly metadata: readonly (readonly [name: string, value: string])[];
  readonly cpuPercent: number | undefined;
  readonly memoryShare: number | undefined;
  readonly memoryBytes: number | undefined;
};

/** Returns undefined if the response contains no list. */
export function sandboxesIn({ blocks }: Answer): readonly Sandbox[] | undefined {
  for (const block of blocks) {
    if (block.type !== 'resource' || block.resource.mimeType !== 'application/json') continue;
    try {
      const bytes = Uint8Array.from(atob(block.resource.blob ?? ''), char => char.charCodeAt(0));
      const list: unknown = JSON.parse(new TextDecoder().decode(bytes));
      if (Array.isArray(list)) return list.flatMap(sandboxOf);
    } catch {
      // The block is another file.
    }
  }
  return undefined;
}

const ID = /^[\w-]{1,128}$/;

function sandboxOf(given: unknown): Sandbox[] {
  const { sandboxId, templateId, name, state, startedAt, endAt, metadata, ...usage } = (given ?? {}) as Record<
    string,
    unknown
  >;
  if (typeof sandboxId !== 'string' || !ID.test(sandboxId)) return [];
  const [memoryBytes, memoryTotal] = [numberOf(usage['memUsed']), numberOf(usage['memTotal'])];
  return [
    {
      id: sandboxId,
      template: String(name ?? templateId ?? ''),
      state: state === 'paused' ? 'paused' : 'running',
      startedAtMs: Date.parse(String(startedAt)),
      endAtMs: Date.parse(String(endAt)),
      metadata: Object.entries(metadata ?? {}).map(([field, value]) => [field, String(value)] as const),
      cpuPercent: numberOf(usage['cpuUsedPct']),
      memoryBytes,
      memoryShare: memoryBytes !== undefined && memoryTotal ? memoryBytes / memoryTotal : undefined,
    },
  ];
}

const numberOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;

export type Filter = { readonly text: string; readonly state: 'all' | Sandbox['state'] };

export function matching(sandboxes: readonly Sandbox[], { text, state }: Filter): readonly Sandbox[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return sandboxes.filter(sandbox => {
    const searched = [sandbox.id, sandbox.template, ...sandbox.metadata.map(pair => pair.join('='))]
      .join(' ')
      .toLowerCase();
    return (state === 'all' || sandbox.state === state) && words.every(word => searched.includes(word));
  });
}

/** `3 h 5 min`, `42 s`. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return '–';
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d`;
}

/** Measurements per sandbox since the tab was opened, newest last. */
export type History = ReadonlyMap<string, readonly Measured[]>;
export type Measured = { readonly cpu: number; readonly memory: number };
const MAX_MEASURED = 40;

export function remember(history: History, sandboxes: readonly Sandbox[]): History {
  return new Map(
    sandboxes.map(({ id, cpuPercent, memoryShare }) => {
      const before = history.get(id) ?? [];
      const now = cpuPercent === undefined ? [] : [{ cpu: cpuPercent / 100, memory: memoryShare ?? 0 }];
      return [id, [...before, ...now].slice(-MAX_MEASURED)];
    }),
  );
}

/** Returns the URL of a port if the response contains a host name. */
export function hostIn(text: string): string | undefined {
  const host = /"([\w.-]+(?::\d{1,5})?)"/.exec(text)?.[1] ?? /^([\w-]+\.[\w.-]+(?::\d{1,5})?)$/m.exec(text)?.[1];
  if (host === undefined) return undefined;
  return `${/\.localhost(?::\d+)?$/.test(host) ? 'http' : 'https'}://${host}/`;
}
