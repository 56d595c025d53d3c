// The first slice of a new principal's run is a trial. If it is long while others wait, the run is stopped, queued again and
// later started from the beginning. That is possible because the guest's messages are withheld during the trial.
import type { Emission } from '../intake.ts';

export class Trial {
  readonly withheld: Emission[] = [];
  /** Whether the slice was too long and was asked to stop. */
  failed = false;

  withhold(emissions: readonly Emission[]): void {
    for (const emission of emissions) this.withheld.push(emission);
  }
}
