// Shows a JSON value as a tree. Renders only open nodes and only part of their entries, because values may be large.
import { useState } from 'preact/hooks';
import { visible } from '../answer.ts';

const STEP = 100;
const MAX_TEXT = 2_000;

export function Tree({ value }: { value: unknown }) {
  return (
    <div class="tree">
      <Node value={value} isOpen />
    </div>
  );
}

function Node({ name, value, isOpen = false }: { name?: string; value: unknown; isOpen?: boolean }) {
  const [open, setOpen] = useState(isOpen);
  if (typeof value !== 'object' || value === null)
    return (
      <div class="leaf">
        <Name name={name} />
        <Leaf value={value} />
      </div>
    );
  const size = Array.isArray(value) ? value.length : Object.keys(value).length;
  const [first, last] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  return (
    <details open={open} onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>
        <Name name={name} />
        <span class="soft">{`${first}${size === 0 ? '' : open ? '' : ' … '}${last} ${count(size, value)}`}</span>
      </summary>
      {open && <Children value={value} />}
    </details>
  );
}

const count = (size: number, value: object): string =>
  `${size.toLocaleString('en')} ${Array.isArray(value) ? 'item' : 'field'}${size === 1 ? '' : 's'}`;

function Children({ value }: { value: object }) {
  const [shown, setShown] = useState(STEP);
  const entries = Object.entries(value);
  const rest = entries.length - shown;
  return (
    <div class="children">
      {entries.slice(0, shown).map(([name, each]) => (
        <Node key={name} name={name} value={each} isOpen={entries.length <= 20 && isSmall(each)} />
      ))}
      {rest > 0 && (
        <button type="button" class="small" onClick={() => setShown(shown + STEP)}>
          {`Show ${Math.min(STEP, rest)} of ${rest.toLocaleString('en')} more`}
        </button>
      )}
    </div>
  );
}

const isSmall = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length <= 12;

function Name({ name }: { name: string | undefined }) {
  return name === undefined ? null : <span class="name">{`${visible(name.slice(0, MAX_TEXT))}: `}</span>;
}

function Leaf({ value }: { value: unknown }) {
  const [whole, setWhole] = useState(false);
  if (typeof value !== 'string') return <span class="number">{String(value)}</span>;
  const shown = whole ? value : value.slice(0, MAX_TEXT);
  return (
    <>
      <span class="string">{visible(shown)}</span>
      {shown.length < value.length && (
        <button type="button" class="small" onClick={() => setWhole(true)}>
          {`Show all ${value.length.toLocaleString('en')} characters`}
        </button>
      )}
    </>
  );
}
