// The first slice of a newcomer's run is a trial: where it is long and others wait, the run is put back and begins again when
// they have been served. What the guest sends meanwhile is withheld, so that it can: no call was made, nothing was kept.
import type { Emission } from '../intake.ts';
import type { PoolWorker } from './pool.ts';
import type { Run } from './run.ts';

/** What the slice gets to stop by itself before its worker is killed. */
const GRACE_MS = 80;

export class Trial {
  readonly withheld: Emission[] = [];
  /** The slice is too long, and was asked to stop. */
  failed = false;

  withhold(emissions: readonly Emission[]): void {
    for (const emission of emissions) this.withheld.push(emission);
  }
}

/** The slice is long: it goes on where it is, unless others wait. Returns what is withheld no longer. */
export function endTrial(run: Run, worker: PoolWorker, othersWait: boolean): readonly Emission[] {
  const { trial } = run;
  if (trial === undefined || trial.failed) return [];
  if (!othersWait) return run.takeWithheld();
  trial.failed = true;
  worker.requestStop(GRACE_MS);
  return [];
}
