// The bar at the top where a person enters a key or signs in.
import { useState } from 'preact/hooks';
import { toFault } from '../fault.ts';
import { checkCredential } from '../mcp.ts';
import { FaultNotice } from '../parts/parts.tsx';
import { settings } from '../settings.ts';
import { useStore } from '../store.ts';
import { enter, leave, type Session, session, setRemember } from './session.ts';
import { beginSignIn } from './sign-in.ts';

export function KeyBar() {
  const now = useStore(session);
  const { check } = now;
  return (
    <section class="key-bar" aria-label="Access">
      {now.credential === undefined ? <Enter remember={now.remember} /> : <Entered now={now} />}
      {typeof check === 'object' && <FaultNotice fault={check} />}
    </section>
  );
}

function Enter({ remember }: { remember: boolean }) {
  const [key, setKey] = useState('');
  const submit = (event: Event) => {
    event.preventDefault();
    const given = key.trim();
    if (given === '') return;
    setKey('');
    void enter({ kind: 'key', key: given }, checkCredential);
  };
  return (
    <form class="row" onSubmit={submit}>
      {settings.keys && (
        <>
          <label class="grow">
            <span class="label">Your {settings.title} API key</span>
            <input
              type="password"
              value={key}
              onInput={event => setKey(event.currentTarget.value)}
              placeholder={settings.keyExample}
              autocomplete="off"
              autocapitalize="none"
              spellcheck={false}
              maxLength={4_096}
            />
          </label>
          <button type="submit" class="act">
            Use key
          </button>
        </>
      )}
      {settings.signIn && <SignIn />}
      <Remember remember={remember} />
    </form>
  );
}

function SignIn() {
  const start = () =>
    void beginSignIn().catch((caught: unknown) => session.set(now => ({ ...now, check: toFault(caught) })));
  return (
    <button type="button" onClick={start}>
      Sign in
    </button>
  );
}

const STATES = { none: '', checking: 'Checking …', accepted: 'Accepted' } as const;

function Entered({ now }: { now: Session }) {
  const { credential, check, remember } = now;
  const isDemo = credential?.kind === 'key' && credential.key === settings.demoKey;
  const who = isDemo ? 'Demo key of local mode' : credential?.kind === 'token' ? 'Signed in' : 'API key entered';
  return (
    <div class="row">
      <p class="grow who">
        <span class={`dot ${typeof check === 'object' ? 'bad' : 'good'}`} aria-hidden="true" />
        <strong>{who}</strong>
        <span class="soft" aria-live="polite">
          {typeof check === 'object' ? 'Refused' : STATES[check]}
        </span>
      </p>
      <Remember remember={remember} />
      <button type="button" onClick={leave}>
        {credential?.kind === 'token' ? 'Sign out' : 'Forget key'}
      </button>
    </div>
  );
}

function Remember({ remember }: { remember: boolean }) {
  return (
    <label class="check">
      <input type="checkbox" checked={remember} onChange={event => setRemember(event.currentTarget.checked)} />
      <span>Keep for this tab</span>
    </label>
  );
}
