// docs/tools.md: the tool descriptions, word for word.
import { parseConfig, toolLimitsOf } from '../../../src/config.ts';
import { E2B } from '../../../src/e2b/api.ts';
import { createTools } from '../../../src/mcp/tools.ts';
import { details, type Section } from './section.ts';

export const tools: Section = {
  file: 'docs/tools.md',
  name: 'tools',
  text: () =>
    createTools(E2B, toolLimitsOf(parseConfig({})))
      .map(({ name, description }) => details(`<code>${name}</code>`, description))
      .join('\n\n'),
};
