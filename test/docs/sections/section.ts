// A part of a document that is generated: `<!-- name: written by npm run docs -->` … `<!-- /name -->` in `file`.
export type Section = {
  readonly file: string;
  readonly name: string;
  text(): string | Promise<string>;
  /** What may differ from run to run (ids, times) made equal, before texts are compared. */
  normalise?(text: string): string;
};

/** A cell of a Markdown table. */
export const cell = (text: string): string => text.replace(/(?<!\\)\|/g, '\\|');

export const details = (summary: string, body: string): string =>
  `<details><summary>${summary}</summary>\n\n${body}\n\n</details>`;

export const codeBlock = (language: string, code: string): string => `\`\`\`${language}\n${code}\n\`\`\``;
