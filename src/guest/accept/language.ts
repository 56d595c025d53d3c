// Recognises text in another language than JavaScript by patterns that JavaScript does not have. Pure; the text may be
// hostile, so every pattern is bounded and only the first lines are searched.

import { CLI } from '../prelude/e2b/sdk.ts';

export type Language =
  | 'Python'
  | 'a shell command'
  | 'prose'
  | 'HTML-escaped'
  | 'a request line'
  | 'SQL'
  | 'HTML'
  | 'R'
  | 'Java'
  | 'Go'
  | 'C';

const MAX_CHARS = 20_000;
const MAX_LINES = 200;
const MAX_LINE_CHARS = 300;

/** One match of these is enough. */
const PYTHON_SURE = [
  /^\s*(?:async )?def \w{1,80}\s*\([^{}]*$/,
  /^\s*(?:from [\w.]{1,80} import )/,
  /^\s*import [\w.]{1,80}(?: as \w{1,80})?(?:, ?[\w.]{1,80}(?: as \w{1,80})?)*\s*(?:#.*)?$/,
  /^\s*(?:for \w[\w, ]{0,60} in [^{}]{1,200}|if [^{}()]{1,200}|elif [^{}]{1,200}|while [^{}()]{1,200}|with [^{}]{1,200}|except\b[^{}]{0,100}|class \w{1,80}(?:\([^)]{0,80}\))?|else|try|finally):\s*(?:#.*)?$/,
  /\bprint\(\s*[rbfRBF]{1,2}["']|^\s*print\s+["'\w]/,
  /(?:^|[=(,\s])[rbfRBF]{1,2}("[^"\n]{0,200}"|'[^'\n]{0,200}')/,
  /"""/,
  /\blambda\s+\w[\w, ]{0,40}:/,
  /\]\s*for\s+\w|\bfor \w{1,40} in \w[\w.()]{0,60}\s*[\])]/,
];
/** Two matches of these are needed. */
const PYTHON_LIKELY = [
  /\bprint\s*\(/,
  /^\s*#(?!!)/,
  /\b(?:None|True|False)\b/,
  /\b(?:not in|is not|elif|self)\b/,
  /^\s*\w{1,60}(?:, ?\w{1,60})* = [^;{]{1,200}$/,
  /\bos\.|\bsys\.|\bpd\.|\bnp\.|\bplt\.|\bjson\.(?:loads|dumps)\b/,
  /^\s*(?:pass|raise \w{1,60}\b.{0,100})$/,
  /\*\*\w{1,40}|\blen\(|\brange\(|\bopen\(/,
];

const PROGRAMS =
  'pip3?|npm|npx|pnpm|yarn|bun|deno|uv|poetry|conda|apt(?:-get)?|apk|brew|cd|ls|cat|echo|printf|mkdir|rmdir|rm|cp|mv|ln|touch|git|gh|curl|wget|python3?|node|tsx?|bash|sh|zsh|sudo|su|chmod|chown|export|source|grep|find|sed|awk|xargs|docker|tail|head|wc|sort|uniq|cut|ps|kill|killall|pkill|top|uname|whoami|hostname|df|du|free|env|which|tar|unzip|zip|gzip|make|cmake|cargo|rustc|go|javac?|gcc|g\\+\\+|Rscript|pytest|uvicorn|gunicorn|flask|django-admin|streamlit|jupyter|nohup|sleep|date|test|psql|sqlite3|redis-cli|ssh|scp|rsync|systemctl|service|openssl|jq|pwd|id|nproc|lscpu|lsblk|mount|ip|ping|nc|netstat|ss';
const COMMAND = new RegExp(
  String.raw`^\s*(?:\$ |# )?(?:\w{1,40}=\S{0,80} )*(?:sudo )?(?:${PROGRAMS}|${CLI})(?=\s|$)(?!\s*(?:=|\(|\.|=>|\?|;?\s*\}))`,
);
/** Programs whose names are English verbs: a sentence may begin with them. */
const VERBS =
  /^\s*(?:kill|find|test|date|make|sort|cut|top|touch|head|tail|source|service|sleep|which|mount|free|go|export|cat|read|watch)\s/;
const SHELL_CHARACTERS = /[-/$|&*<>="'~\\]|\d|\.\w/;
const SHELL_SURE = [
  /^\s*\$ \S/,
  /^#!.{0,40}\b(?:ba|z|da)?sh\b/,
  /^\s*(?:if|while) \[\[? .{1,100}\]\]?; ?(?:then|do)\b/,
  /^\s*(?:fi|done|esac)\s*$|;\s*done\s*$/,
];

type Sign = readonly [language: Language, sign: RegExp];
const FIRST_LINE: readonly Sign[] = [
  ['a request line', /^\s*(?:GET|POST|PUT|PATCH|DELETE|HEAD)\s+(?:https?:\/\/|\/)\S/],
  ['HTML', /^\s*(?:<!doctype html|<html\b|<\?php\b|<\?xml\b)/i],
  ['SQL', /^\s*(?:SELECT\s.{1,200}\bFROM\b|INSERT INTO\b|UPDATE \w{1,60} SET\b|CREATE TABLE\b|DELETE FROM\b)/i],
];
const ANY_LINE: readonly Sign[] = [
  ['Go', /^\s*(?:package \w{1,40}|func \w{1,60}\(.{0,100}\{)\s*$/],
  ['C', /^\s*#include\s*[<"]/],
  ['Java', /\bpublic\s+(?:static\s+)?(?:final\s+)?(?:class|void)\b|\bSystem\.out\.print/],
  ['R', /^\s*(?:library\(\w{1,40}\)|[\w.]{1,60}\s*<-\s)/],
];

const PROSE = /^[\p{L}\p{N}\s,.?!'’"“”()\-–:/]{1,500}$/u;
const STATEMENT = /^\s*(?:return|await|const|let|var|throw|typeof|new|async|function|yield|import|export)\b/;

/** `offset`: where the parser stopped. Returns undefined if the text looks like JavaScript with a mistake in it. */
export function languageOf(text: string, offset: number): Language | undefined {
  if (/=&gt;|&quot;|&lt;\/?\w/.test(text.slice(0, MAX_CHARS))) return 'HTML-escaped';
  // A template literal may contain a program for a sandbox.
  if (text.slice(0, offset).includes('`')) return undefined;
  const lines = text
    .slice(0, MAX_CHARS)
    .split('\n', MAX_LINES)
    .map(line => line.slice(0, MAX_LINE_CHARS));
  const filled = lines.filter(line => line.trim() !== '');
  const [first = ''] = filled;
  const known =
    FIRST_LINE.find(([, sign]) => sign.test(first)) ??
    ANY_LINE.find(([, sign]) => filled.some(line => sign.test(line)));
  if (known !== undefined) return known[0];
  if (isShell(filled)) return 'a shell command';
  if (isPython(filled, text, offset)) return 'Python';
  if (PROSE.test(text) && /\S\s+\S/.test(text) && !STATEMENT.test(text)) return 'prose';
  return undefined;
}

function isShell(lines: readonly string[]): boolean {
  if (lines.some(line => SHELL_SURE.some(sign => sign.test(line)))) return true;
  const [first = ''] = lines.filter(line => !/^\s*#/.test(line));
  if (VERBS.test(first) && !SHELL_CHARACTERS.test(first) && first.trim().split(/\s+/).length > 2) return false;
  return COMMAND.test(first) && !/^\s*(?:import|export)\s+[\w{*]/.test(first.replace(/^\s*export\s+\w{1,40}=/, ''));
}

/** A match must be near the fault, because JavaScript may have a Python program in a string elsewhere. */
function isPython(lines: readonly string[], text: string, offset: number): boolean {
  const start = text.lastIndexOf('\n', Math.max(0, offset - 1)) + 1;
  const at = text.slice(start, start + MAX_LINE_CHARS).split('\n', 1)[0] ?? '';
  const before =
    text
      .slice(Math.max(0, start - MAX_LINE_CHARS), start)
      .trimEnd()
      .split('\n')
      .at(-1) ?? '';
  const near = [at, before];
  if (near.some(line => !isJavaScript(line) && PYTHON_SURE.some(sign => sign.test(line)))) return true;
  if (lines.some(isJavaScript)) return false;
  return PYTHON_LIKELY.filter(sign => lines.some(line => sign.test(line))).length >= 2;
}

const isJavaScript = (line: string): boolean =>
  /=>|;\s*$|\b(?:const|let|var|function|await \w+\.)\b|[{]\s*$|^\s*[})\]]/.test(line) &&
  !/^\s*(?:async )?def /.test(line);
