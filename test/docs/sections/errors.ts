// docs/errors.md: the error registry as a table.
import { ERRORS } from '../../../src/errors.ts';
import { cell, type Section } from './section.ts';

export const errors: Section = {
  file: 'docs/errors.md',
  name: 'errors',
  text: () =>
    [
      '| code | at fault | HTTP | message |',
      '|---|---|---|---|',
      ...Object.entries(ERRORS).map(
        ([code, { fault, status, message }]) => `| \`${code}\` | ${fault} | ${status} | ${cell(message)} |`,
      ),
    ].join('\n'),
};
