// The code editor. It is loaded when the tab is opened, because it is larger than the rest of the page. It is in a
// shadow root, where CodeMirror uses constructed style sheets; in the page itself it would use inline styles, which the
// page's policy forbids.
import {
  autocompletion,
  type CompletionContext,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { javascript, javascriptLanguage } from '@codemirror/lang-javascript';
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from '@codemirror/language';
import { lintGutter, setDiagnostics } from '@codemirror/lint';
import { EditorState } from '@codemirror/state';
import { drawSelection, EditorView, hoverTooltip, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import type { Place } from '../answer.ts';
import type { Tool } from '../mcp.ts';
import { type Word, wordAt, wordsAfter } from './declarations.ts';

export type Editor = {
  set(text: string): void;
  mark(place: Place | undefined): void;
  destroy(): void;
};

export type EditorOptions = {
  readonly parent: ShadowRoot;
  readonly text: string;
  readonly tool: () => Tool;
  readonly onChange: (text: string) => void;
  readonly onRun: () => void;
};

export function createEditor({ parent, text, tool, onChange, onRun }: EditorOptions): Editor {
  const complete = (context: CompletionContext) => completionsAt(context, tool());
  const run = () => {
    onRun();
    return true;
  };
  const view = new EditorView({
    root: parent,
    parent,
    doc: text,
    extensions: [
      keymap.of([{ key: 'Mod-Enter', run }]),
      lineNumbers(),
      lintGutter(),
      history(),
      drawSelection(),
      indentOnInput(),
      bracketMatching(),
      closeBrackets(),
      autocompletion(),
      javascript({ typescript: true }),
      javascriptLanguage.data.of({ autocomplete: complete }),
      syntaxHighlighting(COLOURS),
      hoverTooltip(hover),
      keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...completionKeymap]),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ 'aria-label': 'Code' }),
      EditorState.tabSize.of(2),
      EditorView.updateListener.of(update => {
        if (update.docChanged) onChange(update.state.doc.toString());
      }),
      THEME,
    ],
  });
  return {
    set(next) {
      if (next !== view.state.doc.toString())
        view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next } });
    },
    mark: place => view.dispatch(setDiagnostics(view.state, place === undefined ? [] : [diagnosticOf(view, place)])),
    destroy: () => view.destroy(),
  };
}

function diagnosticOf({ state: { doc } }: EditorView, { line, column = 1, message }: Place) {
  const { from, to } = doc.line(Math.min(Math.max(1, line), doc.lines));
  const start = Math.min(from + Math.max(0, column - 1), to);
  const word = /^[\w$]+/.exec(doc.sliceString(start, to))?.[0].length ?? 1;
  return { from: start, to: Math.min(start + word, to), severity: 'error' as const, message };
}

const CHAIN = /[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*\.?$/;

function completionsAt(context: CompletionContext, tool: Tool) {
  const match = context.matchBefore(CHAIN);
  if (match === null && !context.explicit) return null;
  const chain = (match?.text ?? '').split('.');
  const typed = chain.pop() ?? '';
  const words = wordsAfter(chain, tool);
  if (words.length === 0) return null;
  return {
    from: context.pos - typed.length,
    validFor: /^[\w$]*$/,
    options: words.map(word => ({
      label: word.name,
      type: word.signature.includes('(') ? 'method' : 'variable',
      info: () => describe(word),
    })),
  };
}

function hover(view: EditorView, pos: number) {
  const word = view.state.wordAt(pos);
  if (word === null) return null;
  const line = view.state.doc.lineAt(pos);
  const chain = CHAIN.exec(line.text.slice(0, word.to - line.from))?.[0];
  const found = chain === undefined ? undefined : wordAt(chain.split('.'));
  return found === undefined ? null : { pos: word.from, end: word.to, create: () => ({ dom: describe(found) }) };
}

function describe({ signature, about }: Word): HTMLElement {
  const box = document.createElement('div');
  box.className = 'word';
  box.append(Object.assign(document.createElement('code'), { textContent: signature }));
  if (about !== '') box.append(Object.assign(document.createElement('p'), { textContent: about }));
  return box;
}

const COLOURS = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword], color: 'var(--code-keyword)' },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: 'var(--code-string)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--code-number)' },
  { tag: [tags.comment], color: 'var(--soft)', fontStyle: 'italic' },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName)], color: 'var(--code-call)' },
]);

const THEME = EditorView.theme({
  '&': { backgroundColor: 'var(--card)', color: 'var(--text)', fontSize: '0.875rem' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', minHeight: '16rem', maxHeight: '60vh', overflow: 'auto' },
  '.cm-content': { caretColor: 'var(--text)', padding: '0.5rem 0' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-gutters': { backgroundColor: 'var(--card)', color: 'var(--soft)', border: 'none' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'var(--selection)',
  },
  '.cm-matchingBracket': { backgroundColor: 'var(--selection) !important' },
  '.cm-tooltip': {
    backgroundColor: 'var(--card)',
    color: 'var(--text)',
    border: '1px solid var(--line)',
    borderRadius: '6px',
  },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': { backgroundColor: 'var(--act)', color: 'var(--act-text)' },
  // Replaces CodeMirror's images with data: URLs, which the page's policy forbids.
  '.cm-lint-marker-error': {
    content: '""',
    width: '0.6em',
    height: '0.6em',
    borderRadius: '50%',
    background: 'var(--bad)',
  },
  '.cm-lintRange-error': { backgroundImage: 'none', textDecoration: 'underline wavy var(--bad)' },
  '.word': { maxWidth: '32rem', padding: '0.5rem 0.75rem', whiteSpace: 'normal' },
  '.word code': { fontFamily: 'var(--mono)', fontSize: '0.8125rem', overflowWrap: 'anywhere' },
  '.word p': { margin: '0.5rem 0 0' },
});
