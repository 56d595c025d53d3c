// The tab for people who want to see and change the sandboxes of their account.
import { useMemo, useState } from 'preact/hooks';
import { type Fault, toFault } from '../fault.ts';
import { callTool } from '../mcp.ts';
import { Code, FaultNotice, Notice } from '../parts/parts.tsx';
import { session } from '../session/session.ts';
import { useStore } from '../store.ts';
import { ActionDialog, type Asked } from './action-dialog.tsx';
import { type Action, LIST } from './code.ts';
import { Row } from './row.tsx';
import { type Filter, matching, type Sandbox } from './sandboxes.ts';
import { faultIn, useSandboxes } from './use-sandboxes.ts';

export function Watch({ shown }: { shown: boolean }) {
  const { credential } = useStore(session);
  const { sandboxes, history, fault, refresh } = useSandboxes(shown);
  const [filter, setFilter] = useState<Filter>({ text: '', state: 'all' });
  const [asked, ask] = useState<Asked>();
  const { last, failed, busyWith, act } = useActions(refresh);
  const found = useMemo(() => matching(sandboxes ?? [], filter), [sandboxes, filter]);
  if (credential === undefined)
    return (
      <>
        <h2>Watch sandboxes</h2>
        <p class="empty soft">Enter a key or sign in above to see your sandboxes.</p>
      </>
    );
  return (
    <>
      <h2>Watch sandboxes</h2>
      <FilterBar filter={filter} onChange={setFilter} onRefresh={refresh} />
      {fault && <FaultNotice fault={fault} onRetry={refresh} />}
      {failed && <FaultNotice fault={failed} />}
      <Count sandboxes={sandboxes} found={found.length} failed={fault !== undefined} />
      <ul class="sandboxes">
        {found.map(sandbox => (
          <Row
            key={sandbox.id}
            sandbox={sandbox}
            measured={history.get(sandbox.id) ?? []}
            busy={busyWith === sandbox.id}
            onAct={action => void act(action, sandbox.id)}
            onAsk={what => ask({ what, sandbox })}
          />
        ))}
      </ul>
      <section class="behind" aria-label="Code behind this">
        <h3>What an agent would send</h3>
        <p class="soft">
          {last.title}: a call of <code>{last.tool}</code>
        </p>
        <Code name={`Code: ${last.title}`} text={last.code} />
      </section>
      {asked && <ActionDialog asked={asked} onClose={() => ask(undefined)} onAct={act} />}
    </>
  );
}

function useActions(refresh: () => void) {
  const [last, setLast] = useState<Action>(LIST);
  const [failed, setFailed] = useState<Fault>();
  const [busyWith, setBusyWith] = useState<string>();
  const act = async (action: Action, id: string): Promise<string | undefined> => {
    setLast(action);
    setFailed(undefined);
    setBusyWith(id);
    try {
      const { text, isError } = await callTool(action.tool, action.code);
      if (isError) setFailed(faultIn(text));
      return isError ? undefined : text;
    } catch (caught) {
      setFailed(toFault(caught));
      return undefined;
    } finally {
      setBusyWith(undefined);
      refresh();
    }
  };
  return { last, failed, busyWith, act };
}

function FilterBar(props: { filter: Filter; onChange: (filter: Filter) => void; onRefresh: () => void }) {
  const { filter, onChange, onRefresh } = props;
  return (
    <div class="row">
      <label class="grow">
        <span class="label">Search</span>
        <input
          type="search"
          placeholder="id, template, metadata"
          value={filter.text}
          onInput={event => onChange({ ...filter, text: event.currentTarget.value })}
        />
      </label>
      <label>
        <span class="label">State</span>
        <select
          value={filter.state}
          onChange={event => onChange({ ...filter, state: event.currentTarget.value as Filter['state'] })}
        >
          <option value="all">All</option>
          <option value="running">Running</option>
          <option value="paused">Paused</option>
        </select>
      </label>
      <button type="button" onClick={onRefresh}>
        Refresh
      </button>
    </div>
  );
}

type CountProps = { sandboxes: readonly Sandbox[] | undefined; found: number; failed: boolean };

function Count({ sandboxes, found, failed }: CountProps) {
  if (sandboxes === undefined)
    return failed ? null : (
      <p class="state" role="status">
        <span class="spinner" aria-hidden="true" /> Loading …
      </p>
    );
  if (sandboxes.length === 0)
    return (
      <Notice kind="plain" title="No sandboxes">
        <p>Nothing runs and nothing is paused. The Try tab can create one.</p>
      </Notice>
    );
  const running = sandboxes.filter(({ state }) => state === 'running').length;
  const all = `${running} running, ${sandboxes.length - running} paused`;
  return (
    <p class="soft" role="status">
      {found === sandboxes.length ? all : `${found} of ${sandboxes.length} shown (${all})`}
    </p>
  );
}
