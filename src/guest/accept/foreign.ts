// Error messages for code in another language: which language it is, and what to send instead. Pure.
import type { Surface } from '../../engine/engine.ts';
import { type Language, languageOf } from './language.ts';
import type { Fault } from './syntax.ts';

/** `fault`, with a message that names the language of `text` if it is another than JavaScript. */
export function foreign(text: string, fault: Fault, surface: Surface): Fault {
  const language = languageOf(text, fault.offset);
  return language === undefined ? fault : { ...fault, message: foreignMessage(language, surface) };
}

const QUESTION = "async () => find('…')";
const LANGUAGES: Partial<Record<Language, string>> = {
  Python: '',
  R: ", { language: 'r' }",
  Java: ", { language: 'java' }",
};

export function foreignMessage(language: Language, surface: Surface): string {
  if (language === 'HTML-escaped') return 'The code is HTML-escaped: send => as it is, < and " too';
  if (language === 'a request line')
    return surface === 'search'
      ? "This is a request line; `code` is JavaScript. Look the operation up with: async () => describe('GET /v2/sandboxes')"
      : "This is a request line; `code` is JavaScript. Send it with: async () => api.request({ method: 'GET', path: '/v2/sandboxes' })";
  if (language === 'prose')
    return surface === 'search'
      ? `\`code\` is JavaScript. Ask with: ${QUESTION}`
      : `This is prose; \`code\` is JavaScript: async () => { … return value }. Questions go to the search tool: ${QUESTION}`;
  const what = `This is ${language}; \`code\` is JavaScript.`;
  const call = callFor(language);
  if (surface === 'search')
    return `${what} search only looks operations up (${QUESTION}); programs run in a sandbox, from execute_write`;
  return surface === 'read'
    ? `${what} execute_read runs nothing in a sandbox: use execute_write, where it goes into ${call}`
    : `${what} It goes into ${call}, after const sbx = await Sandbox.create()`;
}

function callFor(language: Language): string {
  if (language === 'a shell command') return "sbx.commands.run('…')";
  const options = LANGUAGES[language];
  return options === undefined
    ? "a file in a sandbox (sbx.files.write), which sbx.commands.run('…') can use"
    : `sbx.runCode('…'${options})`;
}
