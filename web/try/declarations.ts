// The names that an agent's code can use, for completion and hover: taken from the tool descriptions and from the
// descriptions of methods. Pure.
import capabilities from '../../openapi/e2b.capabilities.yaml';
import { read, search } from '../../src/e2b/tool-texts.ts';
import type { Tool } from '../mcp.ts';

export type Word = {
  readonly name: string;
  /** The object that has the name: `Sandbox`, `sbx.commands`; empty for a global. */
  readonly on: string;
  readonly signature: string;
  readonly about: string;
  readonly tools: readonly Tool[];
};

type Described = {
  readonly id: string;
  readonly signature: string;
  readonly summary: string;
  readonly description?: string;
  readonly mode: 'read' | 'write';
};

/** The numbers in the text are not used. */
const READ = read({ wallMs: 0, cpuMs: 0, resultChars: 0 });
const SEARCH = search();

const EXECUTE: readonly Tool[] = ['execute_read', 'execute_write'];

function methodWords({ id, signature, summary, description = '', mode }: Described): readonly Word[] {
  const path = id.split('.');
  const name = path.at(-1) ?? id;
  const group = path.slice(1, -1).join('.');
  const shared = {
    name,
    signature,
    about: `${summary}. ${description}`.trim(),
    tools: mode === 'read' ? EXECUTE : (['execute_write'] as const),
  };
  const isStatic = signature.includes(`Sandbox.${path.slice(1).join('.')}(`);
  const isMethod = signature.includes(`sbx.${path.slice(1).join('.')}(`);
  return [
    ...(isStatic ? [{ ...shared, on: 'Sandbox' }] : []),
    ...(isMethod ? [{ ...shared, on: group === '' ? 'sbx' : `sbx.${group}` }] : []),
  ];
}

/** Finds `declare …` in a tool's description, with the comment before or after it. */
function declared(text: string, name: string, tools: readonly Tool[]): Word {
  const line = new RegExp(`(?:// (.*)\\n)?declare (?:function|const|class) (${name}\\b.*)`).exec(text);
  const [signature = name, behind = ''] = (line?.[2] ?? '').split(' // ');
  return { name, on: '', signature: signature.replace(/\s*\{$/, ''), about: line?.[1] ?? behind, tools };
}

const { methods } = normalize(capabilities);
const groups = [...new Set(methods.map(({ on }) => on))].filter(on => on.startsWith('sbx.'));

const WORDS: readonly Word[] = [
  declared(SEARCH, 'find', ['search']),
  declared(SEARCH, 'describe', ['search']),
  declared(SEARCH, 'spec', ['search']),
  declared(READ, 'api', EXECUTE),
  { ...declared(READ, 'api', EXECUTE), name: 'request', on: 'api' },
  declared(READ, 'display', EXECUTE),
  declared(READ, 'Sandbox', EXECUTE),
  ...['log', 'error'].map(name => ({
    name,
    on: 'console',
    signature: `console.${name}(...values): void`,
    about: name === 'log' ? 'Goes to stdout.' : 'Goes to stderr.',
    tools: ['search', ...EXECUTE] as const,
  })),
  ...groups.map(on => ({ name: on.slice(4), on: 'sbx', signature: on, about: '', tools: EXECUTE })),
  ...methods,
];

function normalize(value: unknown): { readonly methods: readonly Word[] } {
  const list = Array.isArray(value) ? value : ((value as { capabilities?: unknown }).capabilities ?? []);
  return { methods: (list as readonly Described[]).flatMap(methodWords) };
}

const OURS = new Set(['Sandbox', 'api', 'console']);

/** Returns `sbx.commands` for `box.commands`, because any variable may be a sandbox. */
function ownerOf(chain: readonly string[]): string | undefined {
  const [head, ...rest] = chain;
  if (head === undefined) return '';
  if (OURS.has(head)) return chain.join('.');
  if (head in globalThis) return undefined;
  return ['sbx', ...rest].join('.');
}

/** Names that may follow `chain`, e.g. `['sbx', 'files']`. */
export function wordsAfter(chain: readonly string[], tool: Tool): readonly Word[] {
  const owner = ownerOf(chain);
  return WORDS.filter(({ on, tools }) => on === owner && tools.includes(tool));
}

/** Finds the description of `['sbx', 'files', 'read']` in any tool. */
export function wordAt(chain: readonly string[]): Word | undefined {
  const owner = ownerOf(chain.slice(0, -1));
  return WORDS.find(({ name, on }) => on === owner && name === chain.at(-1));
}
