// Finds the code in what a model sent: fences, prose around them and a hashbang are blanked, so that every character
// that stays keeps its line and column. Pure; does not know JavaScript beyond the names of languages.

const CODE_LANGUAGES = /^(?:js|javascript|mjs|cjs|jsx|ts|typescript|mts|cts|tsx|node|nodejs|ecmascript)\b/i;
const OPENING = /^[ \t]*(`{3,}|~{3,})[ \t]*([^\n]*)$/gm;

/** More are refused; the search is quadratic in the worst case. */
const MAX_BLOCKS = 20;

/** A fence's inside. `code`: JavaScript or TypeScript. */
type Block = { readonly start: number; readonly end: number; readonly language: 'code' | 'none' | 'other' };

/** Keeps `text` from `start` to `end`; blanks the rest but its line ends. */
function keepOnly(text: string, start: number, end: number): string {
  const blank = (part: string) => part.replace(/[^\n]/g, ' ');
  return blank(text.slice(0, start)) + text.slice(start, end) + blank(text.slice(end));
}

/** A first line that starts with `#!`, blanked. */
export function blankHashbang(text: string): string {
  return text.replace(/^(\s*)#![^\n]*/, (whole: string, space: string) => space.padEnd(whole.length));
}

/** Where a line opens a fence, or -1. */
export function firstFence(text: string): number {
  OPENING.lastIndex = 0;
  const opening = OPENING.exec(text);
  return opening === null ? -1 : opening.index + opening[0].search(/[`~]/);
}

function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  OPENING.lastIndex = 0;
  for (let opening = OPENING.exec(text); opening !== null && blocks.length < MAX_BLOCKS; opening = OPENING.exec(text)) {
    const [line, fence = '', rest = ''] = opening;
    const restStart = opening.index + line.length - rest.length;
    const language = CODE_LANGUAGES.exec(rest)?.[0] ?? '';
    const sameLine = rest.indexOf(fence);
    if (sameLine !== -1) {
      // ```js code``` on one line.
      blocks.push({ start: restStart + language.length, end: restStart + sameLine, language: 'code' });
      continue;
    }
    const bodyStart = Math.min(opening.index + line.length + 1, text.length);
    const closing = new RegExp(`^[ \\t]*${fence}[\`~]*[ \\t]*$`, 'm').exec(text.slice(bodyStart));
    // Some models close behind the last brace: `}```` at the end of a line.
    const trailing = closing ?? new RegExp(`${fence}[ \\t]*$`, 'm').exec(text.slice(bodyStart));
    const end = trailing === null ? text.length : bodyStart + trailing.index;
    blocks.push({ start: bodyStart, end, language: language !== '' ? 'code' : rest.trim() === '' ? 'none' : 'other' });
    if (trailing === null) break;
    OPENING.lastIndex = bodyStart + trailing.index + trailing[0].length;
  }
  return blocks;
}

/** From behind the first opening line to the last line that is a fence alone; '' when there is no such line. */
export function outerBlock(text: string): string {
  OPENING.lastIndex = 0;
  const opening = OPENING.exec(text);
  if (opening === null) return '';
  const [line, fence = ''] = opening;
  const start = opening.index + line.length + 1;
  const last = text.lastIndexOf(`\n${fence}`);
  const alone = /^\n[`~]{3,}\s*$/.test(
    text
      .slice(last, last + 200)
      .split('\n', 2)
      .join('\n'),
  );
  return last > start && alone ? keepOnly(text, start, last) : '';
}

/** JavaScript reads ``` as an empty template that is called as a tag; no one writes that on purpose. */
export const escapeFences = (text: string): string => text.replace(/`{3,}/g, run => '\\`'.repeat(run.length));

/** The fenced code blocks of `text`, each as the whole text with everything else blanked. */
export function fencedBlocks(text: string): string[] {
  const blocks = blocksOf(text);
  const best = (['code', 'none', 'other'] as const).find(language => blocks.some(block => block.language === language));
  return blocks.filter(block => block.language === best).map(block => keepOnly(text, block.start, block.end));
}
