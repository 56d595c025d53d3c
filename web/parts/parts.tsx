// Small components for all tabs: notices, errors, code, and a copy button.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Fault } from '../fault.ts';

export function CopyButton({ text, label = 'Copy' }: { text: string; label?: string }) {
  const [state, setState] = useState<'idle' | 'done' | 'failed'>('idle');
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => setState('done'),
      () => setState('failed'),
    );
  const shown = { idle: label, done: 'Copied', failed: 'Select and copy by hand' }[state];
  return (
    <button type="button" class="small" onClick={copy} onBlur={() => setState('idle')}>
      <span aria-live="polite">{shown}</span>
    </button>
  );
}

/** The box scrolls, so it must be focusable for the keyboard. */
export function Code({ text, name }: { text: string; name: string }) {
  return (
    <div class="code">
      <pre tabIndex={0} role="region" aria-label={name}>
        <code>{text}</code>
      </pre>
      <CopyButton text={text} />
    </div>
  );
}

const TITLES: Readonly<Record<Fault['kind'], string>> = {
  refused: 'The key was refused',
  expired: 'Your sign-in has ended',
  forbidden: 'Not allowed',
  busy: 'The gateway is busy',
  offline: 'The gateway cannot be reached',
  failed: 'That did not work',
};

export function FaultNotice({ fault, onRetry }: { fault: Fault; onRetry?: () => void }) {
  const wait = fault.retryAfterMs === undefined ? '' : ` Try again in ${Math.ceil(fault.retryAfterMs / 1_000)} s.`;
  return (
    <Notice kind="bad" title={TITLES[fault.kind]}>
      <p>{`${fault.message}${wait}`}</p>
      {onRetry && (
        <button type="button" class="small" onClick={onRetry}>
          Try again
        </button>
      )}
    </Notice>
  );
}

export function Notice(props: { kind: 'plain' | 'warn' | 'bad'; title: string; children?: ComponentChildren }) {
  return (
    <div class={`notice ${props.kind}`} role={props.kind === 'bad' ? 'alert' : undefined}>
      <strong>{props.title}</strong>
      {props.children}
    </div>
  );
}
