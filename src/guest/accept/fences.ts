// Finds the code in a model's text. Fences, the prose around them and a hashbang are replaced by spaces, so that every
// other character keeps its line and column. Pure; does not parse JavaScript.

const CODE_LANGUAGES = /^(?:js|javascript|mjs|cjs|jsx|ts|typescript|mts|cts|tsx|node|nodejs|ecmascript)\b/i;
const OPENING = /^[ \t]*(`{3,}|~{3,})[ \t]*([^\n]*)$/gm;

/** Later blocks are not searched for, because the search is quadratic in the worst case. */
const MAX_BLOCKS = 20;

/** The range between two fences. `code` means JavaScript or TypeScript. */
type Block = { readonly start: number; readonly end: number; readonly language: 'code' | 'none' | 'other' };

/** Keeps `text` from `start` to `end`, and replaces the rest by spaces, except line ends. */
function keepOnly(text: string, start: number, end: number): string {
  const blank = (part: string) => part.replace(/[^\n]/g, ' ');
  return blank(text.slice(0, start)) + text.slice(start, end) + blank(text.slice(end));
}

/** Replaces a first line that starts with `#!` by spaces. */
export function blankHashbang(text: string): string {
  return text.replace(/^(\s*)#![^\n]*/, (whole: string, space: string) => space.padEnd(whole.length));
}

/** The offset of the first opening fence, or -1. */
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
    // Some models put the closing fence behind the last brace: `}```` at the end of a line.
    const trailing = closing ?? new RegExp(`${fence}[ \\t]*$`, 'm').exec(text.slice(bodyStart));
    const end = trailing === null ? text.length : bodyStart + trailing.index;
    blocks.push({ start: bodyStart, end, language: language !== '' ? 'code' : rest.trim() === '' ? 'none' : 'other' });
    if (trailing === null) break;
    OPENING.lastIndex = bodyStart + trailing.index + trailing[0].length;
  }
  return blocks;
}

/** The text from the line after the first opening fence to the last line that is only a fence; '' if there is none. */
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

/** Escapes ```, which JavaScript reads as an empty template called as a tag; nobody writes that on purpose. */
export const escapeFences = (text: string): string => text.replace(/`{3,}/g, run => '\\`'.repeat(run.length));

/** The fenced code blocks of `text`, each as the whole text with everything else blanked. */
export function fencedBlocks(text: string): string[] {
  const blocks = blocksOf(text);
  const best = (['code', 'none', 'other'] as const).find(language => blocks.some(block => block.language === language));
  return blocks.filter(block => block.language === best).map(block => keepOnly(text, block.start, block.end));
}
