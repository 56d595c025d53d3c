// docs/operations.md: the routes, from the table that serves them.
import { createRoutes } from '../../../src/http/routes.ts';
import { cell, type Section } from './section.ts';

const unused = (): never => {
  throw new Error('only the records are read');
};

export const endpoints: Section = {
  file: 'docs/operations.md',
  name: 'endpoints',
  text: () =>
    [
      '| endpoint | key or token | |',
      '|---|---|---|',
      ...createRoutes({
        mcp: [],
        signIn: [],
        isDraining: unused,
        debug: unused,
        metrics: { anyHost: true, contentType: '', text: unused },
      }).map(
        ({ method, path, auth, description }) =>
          `| \`${method} ${path}\` | ${auth === 'bearer' ? 'yes' : 'no'} | ${cell(description)} |`,
      ),
    ].join('\n'),
};
