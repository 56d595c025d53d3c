// Shows the calls of a run over time, from the progress messages or, without those, from the ledger in the response.

export type Report = { readonly atMs: number; readonly message: string };
type Call = { readonly label: string; readonly outcome: string; readonly fromMs: number; readonly ms: number };

const CALL = /^(.{1,300}) → (.{1,200}) \((?:(\d+)–)?(\d+) ms\)$/;

/** A report arrives when its call ends. */
function callsOf(reports: readonly Report[]): readonly Call[] {
  return reports.flatMap(({ atMs, message }): Call[] => {
    const [, label = '', outcome = '', , ms = ''] = CALL.exec(message) ?? [];
    return label === '' ? [] : [{ label, outcome, fromMs: Math.max(0, atMs - Number(ms)), ms: Number(ms) }];
  });
}

/** The ledger has durations only, so the calls are placed one after another. */
function callsInLedger(ledger: string): readonly Call[] {
  let atMs = 0;
  return callsOf(ledger.split('\n').map(message => ({ atMs: 0, message }))).map(call => {
    const placed = { ...call, fromMs: atMs };
    atMs += call.ms;
    return placed;
  });
}

const isGood = (outcome: string): boolean => /^(?:done|2\d\d|exit 0)\b/.test(outcome);

export function Timeline({ reports, ledger }: { reports: readonly Report[]; ledger: string }) {
  const reported = callsOf(reports);
  const calls = reported.length > 0 ? reported : callsInLedger(ledger);
  if (calls.length === 0) return null;
  const startMs = Math.min(...calls.map(({ fromMs }) => fromMs));
  const wholeMs = Math.max(1, ...calls.map(({ fromMs, ms }) => fromMs + ms - startMs));
  return (
    <section aria-label="Calls">
      <h3>{`Calls (${calls.length})`}</h3>
      <ol class="timeline">
        {calls.map(({ label, outcome, fromMs, ms }, at) => (
          <li key={`${at} ${label}`}>
            <span class="call">{label}</span>
            <span class={isGood(outcome) ? 'soft' : 'bad-text'}>{outcome}</span>
            <span class="soft ms">{`${ms} ms`}</span>
            <svg viewBox="0 0 1000 8" preserveAspectRatio="none" aria-hidden="true">
              <rect
                class={isGood(outcome) ? 'bar' : 'bar bad'}
                x={((fromMs - startMs) / wholeMs) * 1000}
                width={Math.max(4, (ms / wholeMs) * 1000)}
                height="8"
                rx="2"
              />
            </svg>
          </li>
        ))}
      </ol>
    </section>
  );
}
