// acorn with a limit on its recursion. V8 ends the whole process, not only the thread, when it has to compile a regular
// expression and the stack is used up, so the parser must stop before that on any input.
import { type Options, Parser } from 'acorn';

/** Every recursion of the parser goes through one of these methods. */
const DESCENTS = [
  'parseStatement',
  'parseMaybeAssign',
  'parseMaybeUnary',
  'parseExprAtom',
  'parseBindingAtom',
  'regexp_disjunction',
  'regexp_eatNestedClass',
] as const;
/** A level of brackets takes about three. Real code needs a tenth of this; a thread's stack has room for three times as many. */
const MAX_DESCENTS = 1_500;

type Descending = Record<(typeof DESCENTS)[number], (...given: unknown[]) => unknown>;

const Bounded = Parser.extend(Base => {
  class Deep extends Base {
    descents = 0;
  }
  const base = Base.prototype as unknown as Descending;
  const own = Deep.prototype as unknown as Descending;
  for (const name of DESCENTS) {
    const descend: Descending[typeof name] = function (this: { descents: number }, ...given) {
      if (this.descents >= MAX_DESCENTS) throw new RangeError('nested too deeply');
      this.descents += 1;
      try {
        return base[name].apply(this, given);
      } finally {
        this.descents -= 1;
      }
    };
    own[name] = descend;
  }
  return Deep;
});

/** @throws SyntaxError; RangeError for text that is nested too deeply */
export const parse = (text: string, options: Options) => Bounded.parse(text, options);

/** @throws SyntaxError; RangeError for text that is nested too deeply */
export const parseExpressionAt = (text: string, at: number, options: Options) =>
  Bounded.parseExpressionAt(text, at, options);
