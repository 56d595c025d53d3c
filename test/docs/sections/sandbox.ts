// docs/sandbox.md: what other servers have a tool for, as a table and as examples.
import { ROWS } from '../../../web/try/examples.ts';
import { cell, codeBlock, details, type Section } from './section.ts';

export const sandbox: Section = {
  file: 'docs/sandbox.md',
  name: 'sandbox',
  text: () => {
    const table = [
      '| tools of other servers | here |',
      '|---|---|',
      ...ROWS.map(({ they, here }) => `| ${cell(they)} | ${cell(here)} |`),
    ].join('\n');
    const examples = ROWS.map(({ they, code }) => details(they, codeBlock('js', code)));
    return [table, ...examples].join('\n\n');
  },
};
