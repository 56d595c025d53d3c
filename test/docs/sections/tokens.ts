// The number on README's first screen, and the table of docs/performance.md behind it.
import { TOOL_NAMES } from '../../../src/mcp/tools.ts';
import { oneToolPerOperation, tokensOf } from '../tokens.ts';
import { withClient } from './gateway.ts';
import type { Section } from './section.ts';

const count = (value: number): string => value.toLocaleString('en');

let measured: ReturnType<typeof measureOnce> | undefined;
const measure = () => (measured ??= measureOnce());

async function measureOnce() {
  const { operations, methods } = await oneToolPerOperation();
  const all = [...operations, ...methods];
  return {
    // Clients show icons to people; models do not get them.
    ours: tokensOf((await withClient(client => client.listTools())).map(({ icons: _, ...tool }) => tool)),
    operations,
    methods,
    all,
    theirs: tokensOf(all),
  };
}

export const number: Section = {
  file: 'README.md',
  name: 'number',
  text: async () => {
    const { ours, all, theirs } = await measure();
    return `**${TOOL_NAMES.length} tools, ${count(ours)} tokens.** One tool for each of the same ${all.length} operations and methods: at least ${count(theirs)} tokens, in every conversation. [How it was measured](docs/performance.md#tokens).`;
  },
};

export const tokens: Section = {
  file: 'docs/performance.md',
  name: 'tokens',
  text: async () => {
    const { ours, operations, methods, all, theirs } = await measure();
    return [
      '| tools | number | tokens |',
      '|---|---|---|',
      `| \`search\`, \`execute_read\`, \`execute_write\` | ${TOOL_NAMES.length} | ${count(ours)} |`,
      `| one per operation and method | ${all.length} | ${count(theirs)} |`,
      `| … REST operations | ${operations.length} | ${count(tokensOf(operations))} |`,
      `| … methods of \`Sandbox\` | ${methods.length} | ${count(tokensOf(methods))} |`,
    ].join('\n');
  },
};
