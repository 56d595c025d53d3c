// The tab for people who want to see what an agent can do: editor, tools, examples and output.
import { useEffect, useRef, useState } from 'preact/hooks';
import { placeOf } from '../answer.ts';
import { type Fault, toFault } from '../fault.ts';
import { type Answer, callTool, type Tool } from '../mcp.ts';
import { FaultNotice, Notice } from '../parts/parts.tsx';
import { session } from '../session/session.ts';
import { useStore } from '../store.ts';
import { EditorBox } from './editor-box.tsx';
import { ROWS } from './examples.ts';
import { Output } from './output.tsx';
import { Progress } from './progress.tsx';
import { fromFragment, TOOLS, toFragment } from './share.ts';
import { START } from './start.ts';
import type { Report } from './timeline.tsx';

type Run =
  | { readonly status: 'idle' }
  | { readonly status: 'running'; readonly startedAt: number; readonly reports: readonly Report[] }
  | { readonly status: 'done'; readonly answer: Answer; readonly ms: number; readonly reports: readonly Report[] }
  | { readonly status: 'cancelled' }
  | { readonly status: 'failed'; readonly fault: Fault };

const MAX_REPORTS = 1_000;

export function Try({ shown }: { shown: boolean }) {
  const shared = useRef(fromFragment(location.hash)).current;
  const [tool, setTool] = useState<Tool>(shared?.tool ?? 'execute_write');
  const [code, setCode] = useState(shared?.code ?? START.execute_write);
  const [revision, setRevision] = useState(0);
  const replace = (next: string) => {
    setCode(next);
    setRevision(now => now + 1);
  };
  const [fromLink, setFromLink] = useState(shared !== undefined);
  const { run, start, cancel } = useRun();
  const { credential } = useStore(session);
  const canRun = credential !== undefined && run.status !== 'running';
  const go = () => {
    if (!canRun) return;
    setFromLink(false);
    start(tool, code);
  };
  useEffect(() => {
    const follow = () => {
      const next = fromFragment(location.hash);
      if (next === undefined) return;
      setTool(next.tool);
      replace(next.code);
      setFromLink(true);
    };
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  const choose = (next: Tool) => {
    if (code === START[tool]) replace(START[next]);
    setTool(next);
  };
  return (
    <>
      <h2>Try it</h2>
      <div class="row">
        <div class="choice" role="group" aria-label="Tool">
          {TOOLS.map(name => (
            <button key={name} type="button" aria-pressed={name === tool} onClick={() => choose(name)}>
              {name}
            </button>
          ))}
        </div>
        <Gallery
          onChoose={chosen => {
            setTool('execute_write');
            replace(chosen);
          }}
        />
      </div>
      {fromLink && (
        <Notice kind="warn" title="This code came with the link">
          <p>Read it before you run it: it runs with your key.</p>
        </Notice>
      )}
      <EditorBox
        text={code}
        revision={revision}
        tool={tool}
        place={run.status === 'done' && run.answer.isError ? placeOf(run.answer.text) : undefined}
        shown={shown}
        onChange={setCode}
        onRun={go}
      />
      <div class="row">
        {run.status === 'running' ? (
          <button type="button" class="act" onClick={cancel}>
            Cancel
          </button>
        ) : (
          <button type="button" class="act" onClick={go} disabled={!canRun}>
            Run <kbd>Ctrl ⏎</kbd>
          </button>
        )}
        <Share tool={tool} code={code} />
        {credential === undefined && <p class="soft">Enter a key or sign in above to run it.</p>}
      </div>
      <div class="output">
        {run.status === 'idle' && <p class="empty soft">What the code returns, prints and calls appears here.</p>}
        {run.status === 'running' && <Progress startedAt={run.startedAt} reports={run.reports} />}
        {run.status === 'cancelled' && (
          <Notice kind="plain" title="Cancelled">
            <p>Calls that were sent may have taken effect. The Watch tab shows what still runs.</p>
          </Notice>
        )}
        {run.status === 'failed' && <FaultNotice fault={run.fault} onRetry={go} />}
        {run.status === 'done' && <Output answer={run.answer} reports={run.reports} ms={run.ms} />}
      </div>
    </>
  );
}

function useRun() {
  const [run, setRun] = useState<Run>({ status: 'idle' });
  const aborter = useRef<AbortController>(undefined);
  const start = async (tool: Tool, code: string) => {
    const mine = new AbortController();
    aborter.current = mine;
    const startedAt = performance.now();
    let reports: readonly Report[] = [];
    setRun({ status: 'running', startedAt, reports });
    const onProgress = (message: string) => {
      if (mine.signal.aborted || reports.length >= MAX_REPORTS) return;
      reports = [...reports, { atMs: performance.now() - startedAt, message }];
      setRun({ status: 'running', startedAt, reports });
    };
    try {
      const answer = await callTool(tool, code, { signal: mine.signal, onProgress });
      if (!mine.signal.aborted) setRun({ status: 'done', answer, ms: performance.now() - startedAt, reports });
    } catch (caught) {
      if (!mine.signal.aborted) setRun({ status: 'failed', fault: toFault(caught) });
    }
  };
  const cancel = () => {
    aborter.current?.abort();
    setRun({ status: 'cancelled' });
  };
  return { run, start: (tool: Tool, code: string) => void start(tool, code), cancel };
}

function Gallery({ onChoose }: { onChoose: (code: string) => void }) {
  return (
    <label class="gallery">
      <span class="label">Example</span>
      <select
        onChange={event => {
          const row = ROWS[Number(event.currentTarget.value)];
          if (row !== undefined) onChoose(row.code);
        }}
      >
        <option value="">Choose …</option>
        {ROWS.map(({ title }, at) => (
          <option key={title} value={at}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}

function Share({ tool, code }: { tool: Tool; code: string }) {
  const [message, setMessage] = useState('');
  const share = async () => {
    const fragment = toFragment({ tool, code });
    if (fragment === undefined) return setMessage('The code is too long for a link.');
    history.replaceState(null, '', fragment);
    const copied = await navigator.clipboard.writeText(location.href).then(
      () => true,
      () => false,
    );
    setMessage(
      copied ? 'Link copied. Your key is not in it.' : 'The link is in the address bar. Your key is not in it.',
    );
  };
  return (
    <>
      <button type="button" onClick={() => void share()}>
        Share link
      </button>
      <span class="soft" aria-live="polite">
        {message}
      </span>
    </>
  );
}
