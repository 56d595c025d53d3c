// Shows the editor, or a plain text field until the editor is loaded or if it cannot be.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Place } from '../answer.ts';
import type { Tool } from '../mcp.ts';
import { Notice } from '../parts/parts.tsx';
import type { Editor } from './editor.ts';

type Props = {
  readonly text: string;
  /** Changes when `text` is replaced from outside. Changes made in the editor must not be written to it again. */
  readonly revision: number;
  readonly tool: Tool;
  readonly place: Place | undefined;
  /** Whether the tab is shown; the editor is loaded when it is for the first time. */
  readonly shown: boolean;
  readonly onChange: (text: string) => void;
  readonly onRun: () => void;
};

export function EditorBox(props: Props) {
  const { text, revision, place, shown, onChange, onRun } = props;
  const host = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const [editor, setEditor] = useState<Editor>();
  const [failed, setFailed] = useState(false);

  useEffect(() => {
    if (!shown || editor !== undefined || failed) return;
    import('./editor.ts').then(
      ({ createEditor }) => {
        if (host.current === null || host.current.shadowRoot !== null) return;
        const created = createEditor({
          parent: host.current.attachShadow({ mode: 'open' }),
          text: latest.current.text,
          tool: () => latest.current.tool,
          onChange: next => latest.current.onChange(next),
          onRun: () => latest.current.onRun(),
        });
        setEditor(created);
      },
      () => setFailed(true),
    );
  }, [shown, editor, failed]);
  useEffect(() => editor?.set(latest.current.text), [editor, revision]);
  useEffect(() => editor?.mark(place), [editor, place]);

  return (
    <>
      {failed && (
        <Notice kind="warn" title="The editor could not be loaded">
          <p>The gateway may be newer than this page. Reload to get the editor; the field below works all the same.</p>
        </Notice>
      )}
      <div class="editor" ref={host} data-ready={editor !== undefined} hidden={editor === undefined} />
      {editor === undefined && (
        <textarea
          class="editor"
          aria-label="Code"
          spellcheck={false}
          rows={14}
          value={text}
          onInput={event => onChange(event.currentTarget.value)}
          onKeyDown={event => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) onRun();
          }}
        />
      )}
    </>
  );
}
