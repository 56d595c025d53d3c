// docs/configuration.md: every setting as a table, by subject.
import { VARIABLES } from '../../../src/config.ts';
import { cell, type Section } from './section.ts';

/** The first setting of each subject, in the order of src/config.ts. */
const SUBJECTS = new Map<keyof typeof VARIABLES, string>([
  ['PORT', 'Address'],
  ['OAUTH_KEYS', 'Sign-in by OAuth'],
  ['E2B_DOMAIN', 'E2B'],
  ['RUN_TIMEOUT_MS', 'Limits of a run'],
  ['MAX_HTTP_BODY_BYTES', 'Limits of the gateway'],
  ['SANDBOX_ENGINE', 'Where the code runs'],
  ['MAX_QUEUED_RUNS', 'Limits by key, and replicas'],
  ['METRICS', 'What is served beside MCP, and logs'],
]);

export const environment: Section = {
  file: 'docs/configuration.md',
  name: 'environment',
  text: () =>
    Object.entries(VARIABLES)
      .flatMap(([name, { about, fallback }]) => {
        const subject = SUBJECTS.get(name as keyof typeof VARIABLES);
        const heading =
          subject === undefined ? [] : [`\n## ${subject}\n`, '| variable | default | meaning |', '|---|---|---|'];
        return [...heading, `| \`${name}\` | ${fallback === '' ? '' : `\`${fallback}\``} | ${cell(about)} |`];
      })
      .join('\n')
      .trimStart(),
};
