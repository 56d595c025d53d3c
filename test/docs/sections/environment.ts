// docs/configuration.md: every setting as a table.
import { VARIABLES } from '../../../src/config.ts';
import { cell, type Section } from './section.ts';

export const environment: Section = {
  file: 'docs/configuration.md',
  name: 'environment',
  text: () =>
    [
      '| variable | default | meaning |',
      '|---|---|---|',
      ...Object.entries(VARIABLES).map(
        ([name, { about, fallback }]) =>
          `| \`${name}\` | ${fallback === '' ? '' : `\`${fallback}\``} | ${cell(about)} |`,
      ),
    ].join('\n'),
};
