// A text that may be a date, in the pieces that V8 reads of one.

/** `end` is also what a text that is read whole leaves. */
export type Token = { readonly kind: 'number' | 'word' | 'space' | 'mark' | 'other' | 'end'; readonly text: string };
export const END: Token = { kind: 'end', text: '' };
const TOKENS = /([0-9]+)|([A-\uffff]+)|(\s)|([:+\-.)])|[\s\S]/g;
const NUMBER_DIGITS = 9;

/** A text up to its first NUL, in tokens; what is in parentheses is one that means nothing. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let depth = 0;
  for (const [piece, digits, word, space, mark] of text.matchAll(TOKENS)) {
    if (piece === '\0') break;
    if (depth > 0 || piece === '(') {
      for (const char of piece) depth += char === '(' ? 1 : char === ')' ? -1 : 0;
      tokens.push({ kind: 'other', text: piece });
    } else if (digits !== undefined) tokens.push({ kind: 'number', text: piece });
    else if (word !== undefined) tokens.push({ kind: 'word', text: piece.toLowerCase() });
    else if (space !== undefined) tokens.push({ kind: 'space', text: piece });
    else tokens.push({ kind: mark === undefined ? 'other' : 'mark', text: piece });
  }
  return tokens;
}

export const within = (value: number, least: number, most: number): boolean => value >= least && value <= most;
/** Of the digits after zeros, so many count. */
export const amountOf = ({ text }: Token): number => Number(text.replace(/^0+/, '').slice(0, NUMBER_DIGITS));
export const isSign = ({ kind, text }: Token): boolean => kind === 'mark' && (text === '+' || text === '-');
export const isDigits = ({ kind, text }: Token, length: number): boolean => kind === 'number' && text.length === length;
/** Of a fraction of a second. One that is long and begins with zeros is V8's mistake, which is kept. */
export function millisecondsOf(token: Token): number {
  const digits = Math.min(token.text.length, NUMBER_DIGITS);
  return Math.floor(amountOf(token) * 10 ** (3 - digits));
}
