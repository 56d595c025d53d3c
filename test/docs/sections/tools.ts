// docs/tools.md: the tool descriptions, word for word.
import { TOOLS } from '../../../src/mcp/tools.ts';
import { details, type Section } from './section.ts';

export const tools: Section = {
  file: 'docs/tools.md',
  name: 'tools',
  text: () => TOOLS.map(({ name, description }) => details(`<code>${name}</code>`, description)).join('\n\n'),
};
