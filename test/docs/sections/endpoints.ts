// docs/operations.md: the routes, from the table that serves them.
import { createPage } from '../../../src/http/page.ts';
import { createRoutes } from '../../../src/http/routes.ts';
import { cell, type Section } from './section.ts';

const unused = (): never => {
  throw new Error('only the records are read');
};

const PAGE = createPage({
  title: '',
  version: '',
  publicUrl: undefined,
  demoKey: undefined,
  signIn: false,
  keys: true,
  keyExample: '',
});

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
        page: (PAGE?.routes ?? []).filter(({ label }) => label === undefined),
        isDraining: unused,
        debug: unused,
        metrics: { anyHost: true, contentType: '', text: unused },
      }).map(
        ({ method, path, auth, description }) =>
          `| \`${method} ${path}\` | ${auth === 'bearer' ? 'yes' : 'no'} | ${cell(description)} |`,
      ),
    ].join('\n'),
};
