// Shows one sandbox of the list.
import { visible } from '../answer.ts';
import type { Asked } from './action-dialog.tsx';
import { type Action, pause, resume } from './code.ts';
import { Graph } from './graph.tsx';
import { duration, type Measured, type Sandbox } from './sandboxes.ts';

type Props = {
  readonly sandbox: Sandbox;
  readonly measured: readonly Measured[];
  readonly busy: boolean;
  readonly onAct: (action: Action) => void;
  readonly onAsk: (what: Asked['what']) => void;
};

const MAX_CHARS = 200;

export function Row({ sandbox, measured, busy, onAct, onAsk }: Props) {
  const { id, template, state, startedAtMs, endAtMs, metadata } = sandbox;
  const isRunning = state === 'running';
  const now = Date.now();
  return (
    <li class="sandbox" aria-busy={busy} data-id={id}>
      <div class="what">
        <p>
          <span class={`badge ${state}`}>{state}</span> <code>{id}</code>
        </p>
        <p class="soft">{`${visible(template.slice(0, MAX_CHARS))} · ${duration(now - startedAtMs)} old · ${
          isRunning ? `${duration(endAtMs - now)} left` : 'kept while paused'
        }`}</p>
        {metadata.length > 0 && (
          <p class="metadata">
            {metadata.slice(0, 20).map(([name, value]) => (
              <span
                key={name}
                class="tag"
              >{`${visible(name.slice(0, 60))}: ${visible(value.slice(0, MAX_CHARS))}`}</span>
            ))}
          </p>
        )}
      </div>
      <div class="graphs">
        <Graph name="CPU" values={measured.map(({ cpu }) => cpu)} text={percent(sandbox.cpuPercent)} />
        <Graph name="Memory" values={measured.map(({ memory }) => memory)} text={megabytes(sandbox.memoryBytes)} />
      </div>
      <div class="actions">
        {isRunning ? (
          <button type="button" class="small" disabled={busy} onClick={() => onAct(pause(id))}>
            Pause
          </button>
        ) : (
          <button type="button" class="small" disabled={busy} onClick={() => onAct(resume(id))}>
            Resume
          </button>
        )}
        <button type="button" class="small" disabled={busy || !isRunning} onClick={() => onAsk('extend')}>
          Extend
        </button>
        <button type="button" class="small" disabled={busy || !isRunning} onClick={() => onAsk('port')}>
          Port
        </button>
        <button type="button" class="small bad-text" disabled={busy} onClick={() => onAsk('kill')}>
          Kill
        </button>
      </div>
    </li>
  );
}

const percent = (value: number | undefined): string => (value === undefined ? '–' : `${value.toFixed(1)} %`);
const megabytes = (bytes: number | undefined): string =>
  bytes === undefined ? '–' : `${Math.round(bytes / 1_048_576).toLocaleString('en')} MB`;
