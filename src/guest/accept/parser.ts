// acorn with a limit on its recursion. V8 ends the whole process, not only the thread, when it has to compile a regular
// expression and the stack is used up, so the parser must stop before that on any input.
import { type Options, Parser } from 'acorn';

/** A level of brackets takes about three. Real code needs a tenth of this; a thread's stack has room for three times as many. */
const MAX_DESCENTS = 1_500;

/** Every recursion of the parser goes through one of these methods, which acorn's types leave out. */
type Descending = {
  parseStatement(context: unknown, topLevel: unknown, exports: unknown): unknown;
  parseMaybeAssign(forInit: unknown, errors: unknown, afterLeft: unknown): unknown;
  parseMaybeUnary(errors: unknown, sawUnary: unknown, incDec: unknown, forInit: unknown): unknown;
  parseExprAtom(errors: unknown, forInit: unknown, forNew: unknown): unknown;
  parseBindingAtom(): unknown;
  regexp_disjunction(state: unknown): unknown;
  regexp_eatNestedClass(state: unknown): unknown;
};

/** They run for each part of the code, so each is written out: a common wrapper would be slower. A parser that threw ends. */
const Bounded = Parser.extend(Base => {
  class Deep extends (Base as unknown as new (...given: unknown[]) => Descending) {
    descents = 0;

    descend(): void {
      if (this.descents >= MAX_DESCENTS) throw new RangeError('nested too deeply');
      this.descents += 1;
    }

    override parseStatement(context: unknown, topLevel: unknown, exports: unknown): unknown {
      this.descend();
      const node = super.parseStatement(context, topLevel, exports);
      this.descents -= 1;
      return node;
    }

    override parseMaybeAssign(forInit: unknown, errors: unknown, afterLeft: unknown): unknown {
      this.descend();
      const node = super.parseMaybeAssign(forInit, errors, afterLeft);
      this.descents -= 1;
      return node;
    }

    override parseMaybeUnary(errors: unknown, sawUnary: unknown, incDec: unknown, forInit: unknown): unknown {
      this.descend();
      const node = super.parseMaybeUnary(errors, sawUnary, incDec, forInit);
      this.descents -= 1;
      return node;
    }

    override parseExprAtom(errors: unknown, forInit: unknown, forNew: unknown): unknown {
      this.descend();
      const node = super.parseExprAtom(errors, forInit, forNew);
      this.descents -= 1;
      return node;
    }

    override parseBindingAtom(): unknown {
      this.descend();
      const node = super.parseBindingAtom();
      this.descents -= 1;
      return node;
    }

    override regexp_disjunction(state: unknown): unknown {
      this.descend();
      const found = super.regexp_disjunction(state);
      this.descents -= 1;
      return found;
    }

    override regexp_eatNestedClass(state: unknown): unknown {
      this.descend();
      const found = super.regexp_eatNestedClass(state);
      this.descents -= 1;
      return found;
    }
  }
  return Deep as unknown as typeof Parser;
});

/** @throws SyntaxError; RangeError for text that is nested too deeply */
export const parse = (text: string, options: Options) => Bounded.parse(text, options);

/** @throws SyntaxError; RangeError for text that is nested too deeply */
export const parseExpressionAt = (text: string, at: number, options: Options) =>
  Bounded.parseExpressionAt(text, at, options);
