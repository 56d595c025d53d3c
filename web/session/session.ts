// The person's credential, a key or a token, in memory. It is put into the tab's session storage only if the person
// asks for that, and never into the address, local storage, a cookie or a log.
import { type Fault, toFault } from '../fault.ts';
import { settings } from '../settings.ts';
import { createStore } from '../store.ts';

export type Credential =
  | { readonly kind: 'key'; readonly key: string }
  | {
      readonly kind: 'token';
      readonly access: string;
      readonly refresh: string;
      readonly expiresAtMs: number;
      readonly clientId: string;
    };

export type Session = {
  readonly credential?: Credential | undefined;
  readonly remember: boolean;
  readonly check: 'none' | 'checking' | 'accepted' | Fault;
};

const STORED = 'session';

export const session = createStore<Session>(initial());

function initial(): Session {
  const stored = sessionStorage.getItem(STORED);
  if (stored !== null) {
    try {
      return { credential: JSON.parse(stored) as Credential, remember: true, check: 'none' };
    } catch {
      sessionStorage.removeItem(STORED);
    }
  }
  const { demoKey } = settings;
  return { remember: false, check: 'none', ...(demoKey && { credential: { kind: 'key', key: demoKey } }) };
}

session.subscribe(({ credential, remember }) => {
  if (remember && credential !== undefined) sessionStorage.setItem(STORED, JSON.stringify(credential));
  else sessionStorage.removeItem(STORED);
});

/** Sets the credential and asks the gateway whether it is accepted. */
export async function enter(credential: Credential, ask: () => Promise<void>): Promise<void> {
  session.set(now => ({ ...now, credential, check: 'checking' }));
  const check = await ask().then(
    () => 'accepted' as const,
    (caught: unknown) => toFault(caught),
  );
  session.set(now => (now.credential === credential ? { ...now, check } : now));
}

export const leave = (): void => session.set(({ remember }) => ({ remember, check: 'none' }));

export const setRemember = (remember: boolean): void => session.set(now => ({ ...now, remember }));

/** Records that a credential was refused, so that the key bar shows it on every tab. */
export function noteFault(fault: Fault): void {
  if (fault.kind === 'refused' || fault.kind === 'expired') session.set(now => ({ ...now, check: fault }));
}
