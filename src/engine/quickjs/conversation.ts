// Handles a run's calls and timers on the host: passes calls to `callHost`, keeps the timers, and returns every reply once.
// Does not depend on where the guest is at that time.
import type { GuestCall, TapeEnd, TapeStart } from '../engine.ts';
import type { Emission } from '../intake.ts';
import { SETTLE, settlePayload } from '../protocol.ts';
import { answerTo } from '../transcript.ts';
import type { Due } from './messages.ts';
import type { Run } from './run.ts';

type Call = Extract<Emission, { kind: 'call' }>;

/** Connects the tape of a run, which then handles its calls and timers. */
export function attachTape(
  run: Run,
  settle: (settlement: Due) => void,
  end: (why: TapeEnd) => void,
): TapeStart | undefined {
  const { tape, limits } = run.job;
  tape?.attach({
    deliver({ code, ...delivery }) {
      if (code !== undefined) run.transcript.noteCode(code);
      settle({ ...delivery, hostMs: run.takeHostMs() });
    },
    end,
    signal: () => run.abort.signal,
    maxTimerMs: limits.wallMs * 2,
  });
  return tape?.start;
}

/** Handles a guest's messages. `settle` is called with the replies when they come, but not after the run has ended. */
export function receive(run: Run, emissions: readonly Emission[], settle: (settlement: Due) => void): void {
  if (run.trial !== undefined) {
    run.trial.withhold(emissions);
    return;
  }
  const { tape } = run.job;
  for (const emission of emissions) {
    if (run.state === 'ended') return;
    switch (emission.kind) {
      case 'call':
        if (tape === undefined) void ask(run, emission, settle);
        else tape.call(emission.id, callIn(emission));
        break;
      case 'timer':
        if (tape !== undefined) tape.timer(emission.id, emission.ms);
        else startTimer(run, emission.id, emission.ms, settle);
        break;
      case 'clear':
        tape?.clear(emission.id);
        clearTimeout(run.timers.get(emission.id));
        run.timers.delete(emission.id);
        break;
      default:
        run.transcript.add(emission);
    }
  }
}

const callIn = ({ id: _id, kind: _kind, ...call }: Call): GuestCall => call;

async function ask(run: Run, call: Call, settle: (settlement: Due) => void): Promise<void> {
  const { id } = call;
  const emit = (payload: string) => {
    if (run.state !== 'ended') settle({ id, how: SETTLE.event, payload });
  };
  const reply = await answerTo(run.job.callHost, callIn(call), run.abort.signal, emit);
  if (run.state === 'ended') return;
  if (!reply.ok) run.transcript.noteCode(reply.error.code);
  settle({ id, ...settlePayload(reply), hostMs: run.takeHostMs(), ...(reply.ok && { delivered: reply.delivered }) });
}

function startTimer(run: Run, id: number, ms: number, settle: (settlement: Due) => void): void {
  const fire = () => {
    run.timers.delete(id);
    settle({ id, how: SETTLE.fired, payload: '' });
  };
  // Limited, so that a timer of an hour is not kept for a run of a minute.
  run.timers.set(id, setTimeout(fire, Math.min(ms, run.job.limits.wallMs * 2)));
}
