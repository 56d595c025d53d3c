// Splits a text into the tokens of V8's date parser.

/** `end` is returned when no token is left. */
export type Token = { readonly kind: 'number' | 'word' | 'space' | 'mark' | 'other' | 'end'; readonly text: string };
export const END: Token = { kind: 'end', text: '' };
const TOKENS = /([0-9]+)|([A-\uffff]+)|(\s)|([:+\-.)])|[\s\S]/g;
const NUMBER_DIGITS = 9;

/** The tokens up to the first NUL. Text in parentheses becomes tokens of kind `other`, which have no meaning. */
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
/** The value of a number; after leading zeros only the first NUMBER_DIGITS digits count. */
export const amountOf = ({ text }: Token): number => Number(text.replace(/^0+/, '').slice(0, NUMBER_DIGITS));
export const isSign = ({ kind, text }: Token): boolean => kind === 'mark' && (text === '+' || text === '-');
export const isDigits = ({ kind, text }: Token, length: number): boolean => kind === 'number' && text.length === length;
/** The milliseconds of a fraction of a second. V8 is wrong for long fractions with leading zeros; that is reproduced. */
export function millisecondsOf(token: Token): number {
  const digits = Math.min(token.text.length, NUMBER_DIGITS);
  return Math.floor(amountOf(token) * 10 ** (3 - digits));
}
