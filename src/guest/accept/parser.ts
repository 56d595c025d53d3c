// acorn with an end to how deeply it descends. V8 ends the whole process, not the thread, when it has to compile a regular
// expression where the stack is used up: a parser must never get there, whatever it is given.
import { type Options, Parser } from 'acorn';

/** Every descent of the parser goes through one of these. */
const DESCENTS = [
  'parseStatement',
  'parseMaybeAssign',
  'parseMaybeUnary',
  'parseExprAtom',
  'parseBindingAtom',
  'regexp_disjunction',
  'regexp_eatNestedClass',
] as const;
/** About three for each level of brackets. Real code needs a tenth of this; a thread's stack has room for three times as many. */
const MAX_DESCENTS = 1_500;

type Descending = Record<(typeof DESCENTS)[number], (...given: unknown[]) => unknown>;

const Bounded = Parser.extend(Base => {
  class Deep extends Base {
    descents = 0;
  }
  const base = Base.prototype as unknown as Descending;
  const own = Deep.prototype as unknown as Descending;
  for (const name of DESCENTS) {
    own[name] = function (this: { descents: number }, ...given) {
      if (this.descents >= MAX_DESCENTS) throw new RangeError('nested too deeply');
      this.descents += 1;
      try {
        return base[name].apply(this, given);
      } finally {
        this.descents -= 1;
      }
    };
  }
  return Deep;
});

/** @throws SyntaxError; RangeError for text that is nested too deeply */
export const parse = (text: string, options: Options) => Bounded.parse(text, options);

/** @throws SyntaxError; RangeError for text that is nested too deeply */
export const parseExpressionAt = (text: string, at: number, options: Options) =>
  Bounded.parseExpressionAt(text, at, options);
