// Asks for confirmation before a kill, and for the number that an action needs. Shows the code that will be sent.
import { useEffect, useRef, useState } from 'preact/hooks';
import { Code } from '../parts/parts.tsx';
import { type Action, extend, kill, openPort } from './code.ts';
import { hostIn, type Sandbox } from './sandboxes.ts';

export type Asked = { readonly what: 'kill' | 'extend' | 'port'; readonly sandbox: Sandbox };

type Props = {
  readonly asked: Asked;
  readonly onClose: () => void;
  /** Returns the text of the response, or undefined if the action failed. */
  readonly onAct: (action: Action, id: string) => Promise<string | undefined>;
};

const TITLES = { kill: 'Kill this sandbox?', extend: 'Extend its life', port: 'Open a port' } as const;
const LABELS = { kill: 'Kill', extend: 'Extend', port: 'Get the address' } as const;
const FIELDS = {
  kill: undefined,
  extend: { label: 'Minutes from now', start: 30, max: 1_440 },
  port: { label: 'Port', start: 8_080, max: 65_535 },
} as const;
const ACTIONS = { kill: (id: string) => kill(id), extend, port: openPort } as const;

export function ActionDialog({ asked: { what, sandbox }, onClose, onAct }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const field = FIELDS[what];
  const [number, setNumber] = useState<number>(field?.start ?? 0);
  const [address, setAddress] = useState<string>();
  const [sending, setSending] = useState(false);
  useEffect(() => dialog.current?.showModal(), []);
  const action = ACTIONS[what](sandbox.id, number);
  const submit = async (event: Event) => {
    event.preventDefault();
    setSending(true);
    const text = await onAct(action, sandbox.id);
    setSending(false);
    if (what !== 'port' || text === undefined) return onClose();
    setAddress(hostIn(text));
  };
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="dialog-title">
      <form onSubmit={event => void submit(event)}>
        <h3 id="dialog-title">{TITLES[what]}</h3>
        <p>
          <code>{sandbox.id}</code>
        </p>
        {what === 'kill' && <p>Its files and memory are lost. There is no way back.</p>}
        {field && (
          <label>
            <span class="label">{field.label}</span>
            <input
              type="number"
              min={1}
              max={field.max}
              required
              value={number}
              onInput={event => setNumber(Math.trunc(Number(event.currentTarget.value)))}
            />
          </label>
        )}
        {address !== undefined && (
          <p role="status">
            <a href={address} target="_blank" rel="noopener noreferrer">
              {address}
            </a>
          </p>
        )}
        <p class="soft">
          A call of <code>{action.tool}</code>:
        </p>
        <Code name={`Code: ${action.title}`} text={action.code} />
        <div class="row">
          <button type="submit" class={what === 'kill' ? 'danger' : 'act'} disabled={sending}>
            {LABELS[what]}
          </button>
          <button type="button" onClick={() => dialog.current?.close()}>
            {address === undefined ? 'Cancel' : 'Close'}
          </button>
        </div>
      </form>
    </dialog>
  );
}
