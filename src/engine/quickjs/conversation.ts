// The host's side of a run's calls and timers: passes calls on, keeps the clock, and hands every answer back once.
// Knows nothing of where the guest is by then.
import type { Emission } from '../intake.ts';
import { SETTLE, settlePayload } from '../protocol.ts';
import { answerTo } from '../transcript.ts';
import type { Due } from './messages.ts';
import type { Run } from './run.ts';

type Call = Extract<Emission, { kind: 'call' }>;

/** Processes a guest's messages. `settle` gets the answers when they come, and none after the run has ended. */
export function receive(run: Run, emissions: readonly Emission[], settle: (settlement: Due) => void): void {
  for (const emission of emissions) {
    if (run.state === 'ended') return;
    switch (emission.kind) {
      case 'call':
        void ask(run, emission, settle);
        break;
      case 'timer':
        startTimer(run, emission.id, emission.ms, settle);
        break;
      case 'clear':
        clearTimeout(run.timers.get(emission.id));
        run.timers.delete(emission.id);
        break;
      default:
        run.transcript.add(emission);
    }
  }
}

async function ask(run: Run, { id, kind: _kind, ...call }: Call, settle: (settlement: Due) => void): Promise<void> {
  const reply = await answerTo(run.job.callHost, call, run.abort.signal);
  if (run.state === 'ended') return;
  if (!reply.ok) run.transcript.noteCode(reply.error.code);
  settle({ id, ...settlePayload(reply), hostMs: run.takeHostMs(), ...(reply.ok && { delivered: reply.delivered }) });
}

function startTimer(run: Run, id: number, ms: number, settle: (settlement: Due) => void): void {
  const fire = () => {
    run.timers.delete(id);
    settle({ id, how: SETTLE.fired, payload: '' });
  };
  // Never beyond the end of the run, so that no timer of an hour is kept for a run of a minute.
  run.timers.set(id, setTimeout(fire, Math.min(ms, run.job.limits.wallMs * 2)));
}
