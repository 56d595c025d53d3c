// Shows a run in progress: its duration, and the progress messages so far.
import { useEffect, useState } from 'preact/hooks';
import { visible } from '../answer.ts';
import type { Report } from './timeline.tsx';

const SHOWN = 100;

export function Progress({ startedAt, reports }: { startedAt: number; reports: readonly Report[] }) {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick(count => count + 1), 100);
    return () => clearInterval(timer);
  }, []);
  return (
    <section aria-label="Progress">
      <p class="state">
        <span class="spinner" aria-hidden="true" />
        <strong role="status">Running</strong>
        <span class="soft">{` ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`}</span>
      </p>
      <ol class="progress">
        {reports.slice(-SHOWN).map(({ atMs, message }, at) => (
          <li key={`${at} ${atMs}`}>
            <span class="soft ms">{`${(atMs / 1_000).toFixed(2)} s`}</span> {visible(message.slice(0, 500))}
          </li>
        ))}
      </ol>
    </section>
  );
}
