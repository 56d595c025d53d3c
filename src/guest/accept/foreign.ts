// What is no JavaScript at all, once it did not parse: told by its looks, so that a model learns what to send instead.
// Also takes code out of the JSON some models wrap it in. Pure.
import type { Fault } from './syntax.ts';

const PYTHON =
  /^[ \t]*(?:from [\w.]{1,80} import |import \w[\w. ,]{0,200}$|(?:async )?def \w{1,80}\(|(?:class|for|while|if|elif|with|except)\b[^\n{};]{0,200}:[ \t]*(?:#|\w|$)|(?:else|try|finally):)/;
const PROSE = /^[\p{L}\p{N}\s,.?!'’"-]{1,500}$/u;
const STATEMENT = /^\s*(?:return|await|const|let|var|throw|typeof|new|async|function|yield|import|export)\b/;

/** The same fault, said as what it is when the text is of another kind. */
export function foreign(text: string, fault: Fault): Fault {
  const message = foreignMessage(text, fault.offset);
  return message === undefined ? fault : { ...fault, message };
}

function foreignMessage(text: string, offset: number): string | undefined {
  if (/=&gt;/.test(text)) return 'The code is HTML-escaped: send => as it is';
  if (isPython(text, offset)) return "This is Python; `code` is JavaScript. Python goes into sbx.runCode('…')";
  if (PROSE.test(text) && /\S\s+\S/.test(text) && !STATEMENT.test(text)) {
    return "`code` is JavaScript. In search, ask with: async () => find('…')";
  }
  return undefined;
}

/** The line that does not parse, or the one before it; not inside a template, which may well hold Python. */
function isPython(text: string, offset: number): boolean {
  if (text.slice(0, offset).includes('`')) return false;
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const line = text.slice(start, start + 400).split('\n', 1)[0] ?? '';
  const before =
    text
      .slice(Math.max(0, start - 400), start)
      .trimEnd()
      .split('\n')
      .at(-1) ?? '';
  return PYTHON.test(line) || PYTHON.test(before);
}

const FUNCTION = /^\s*(?:async\b\s*(?:function\b|\(|\w+\s*=>)|function\b|\([^()]{0,200}\)\s*=>)/;

/** The code in `{"code": "…"}`, or in a JSON string that holds a function; any other text as it is. */
export function unwrapJson(text: string): string {
  if (!/^\s*(?:\{\s*"code"\s*:\s*"|")/.test(text)) return text;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return text;
  }
  if (typeof value === 'string') return FUNCTION.test(value) ? value : text;
  const { code, ...rest } = value as { code?: unknown };
  return typeof code === 'string' && Object.keys(rest).length === 0 ? code : text;
}
