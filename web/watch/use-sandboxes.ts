// Keeps the list up to date while a person looks at it: the tab is open, the window visible, and there is a credential.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { Fault, toFault } from '../fault.ts';
import { callTool } from '../mcp.ts';
import { session } from '../session/session.ts';
import { useStore } from '../store.ts';
import { LIST } from './code.ts';
import { type History, remember, type Sandbox, sandboxesIn } from './sandboxes.ts';

const EVERY_MS = 5_000;
const MAX_WAIT_MS = 60_000;

export type Watched = {
  readonly sandboxes: readonly Sandbox[] | undefined;
  readonly history: History;
  readonly fault: Fault | undefined;
  readonly refresh: () => void;
};

export function useSandboxes(shown: boolean): Watched {
  const { credential } = useStore(session);
  const visible = useVisible();
  const [turn, setTurn] = useState(0);
  const [state, setState] = useState<Omit<Watched, 'refresh'>>(EMPTY);
  const history = useRef<History>(new Map());
  const failures = useRef(0);
  const refresh = useCallback(() => setTurn(now => now + 1), []);

  useEffect(() => {
    history.current = new Map();
    failures.current = 0;
    setState(EMPTY);
  }, [credential?.kind === 'key' ? credential.key : credential?.clientId]);

  useEffect(() => {
    if (!shown || !visible || credential === undefined) return;
    const left = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      const next = await list(left.signal);
      if (left.signal.aborted) return;
      if (Array.isArray(next)) {
        failures.current = 0;
        history.current = remember(history.current, next);
        setState({ sandboxes: next, history: history.current, fault: undefined });
      } else {
        failures.current += 1;
        setState(now => ({ ...now, fault: next as Fault }));
        if (isFinal(next as Fault)) return;
      }
      timer = setTimeout(() => void ask(), Math.min(MAX_WAIT_MS, EVERY_MS * 2 ** failures.current));
    };
    void ask();
    return () => {
      left.abort();
      clearTimeout(timer);
    };
  }, [shown, visible, credential, turn]);
  return { ...state, refresh };
}

const EMPTY = { sandboxes: undefined, history: new Map(), fault: undefined };

/** Whether repeating the request is useless until the person does something. */
const isFinal = ({ kind }: Fault): boolean => kind === 'refused' || kind === 'expired' || kind === 'forbidden';

async function list(signal: AbortSignal): Promise<readonly Sandbox[] | Fault> {
  try {
    const answer = await callTool(LIST.tool, LIST.code, { signal });
    const found = sandboxesIn(answer);
    if (found !== undefined && !answer.isError) return found;
    return faultIn(answer.text);
  } catch (caught) {
    return toFault(caught);
  }
}

const MAX_CHARS = 400;

/** Makes a Fault from the text of a failed run, whose error is inside the markers. */
export function faultIn(text: string): Fault {
  const message = (/<untrusted-data-[\w-]+>\n(.*)/.exec(text)?.[1] ?? text).slice(0, MAX_CHARS);
  return /AuthenticationError|\b401\b/.test(message)
    ? new Fault('refused', 'The API does not accept this key any more.')
    : new Fault('failed', message);
}

function useVisible(): boolean {
  const [visible, setVisible] = useState(document.visibilityState === 'visible');
  useEffect(() => {
    const follow = () => setVisible(document.visibilityState === 'visible');
    document.addEventListener('visibilitychange', follow);
    return () => document.removeEventListener('visibilitychange', follow);
  }, []);
  return visible;
}
