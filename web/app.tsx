// The frame of the page: header, credential, three tabs. The fragment of the URL names the tab, so it can be linked.
import { useEffect, useState } from 'preact/hooks';
import { Connect } from './connect/connect.tsx';
import { Questions } from './question/question-dialog.tsx';
import { KeyBar } from './session/key-bar.tsx';
import { settings } from './settings.ts';
import { Try } from './try/try.tsx';
import { Watch } from './watch/watch.tsx';

const TABS = [
  ['connect', 'Connect'],
  ['try', 'Try'],
  ['watch', 'Watch'],
] as const;
type Tab = (typeof TABS)[number][0];

const tabInAddress = (): Tab => TABS.find(([tab]) => location.hash.slice(1).split('/')[0] === tab)?.[0] ?? 'connect';

export function App() {
  const [tab, setTab] = useState(tabInAddress);
  useEffect(() => {
    const follow = () => setTab(tabInAddress());
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return (
    <>
      <header class="top">
        <h1>
          <img src="/icon.svg" alt="" width="28" height="28" />
          <span>{settings.title} code mode</span>
        </h1>
        <Tabs tab={tab} />
      </header>
      <main>
        <KeyBar />
        {TABS.map(([name]) => (
          <div key={name} id={`panel-${name}`} role="tabpanel" aria-labelledby={`tab-${name}`} hidden={name !== tab}>
            {name === 'connect' && <Connect />}
            {name === 'try' && <Try shown={tab === 'try'} />}
            {name === 'watch' && <Watch shown={tab === 'watch'} />}
          </div>
        ))}
      </main>
      <Questions />
      <footer class="soft">
        Version {settings.version}. The page is a client of <code>/mcp</code> like any other; your key stays in this
        tab.
      </footer>
    </>
  );
}

function Tabs({ tab }: { tab: Tab }) {
  const go = (next: Tab) => {
    location.hash = next;
    document.getElementById(`tab-${next}`)?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const at = TABS.findIndex(([name]) => name === tab);
    const next = TABS[(at + step + TABS.length) % TABS.length];
    if (next !== undefined) go(next[0]);
  };
  return (
    <div class="tabs" role="tablist" aria-label="What to do" onKeyDown={onKeyDown}>
      {TABS.map(([name, title]) => (
        <button
          key={name}
          type="button"
          role="tab"
          id={`tab-${name}`}
          aria-selected={name === tab}
          aria-controls={`panel-${name}`}
          tabIndex={name === tab ? 0 : -1}
          onClick={() => go(name)}
        >
          {title}
        </button>
      ))}
    </div>
  );
}
