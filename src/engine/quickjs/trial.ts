// The first slice of a newcomer's run is a trial: where it is long and others wait, the run is put back and begins again when
// they have been served. What the guest sends meanwhile is withheld, so that it can: no call was made, nothing was kept.
import type { Emission } from '../intake.ts';

export class Trial {
  readonly withheld: Emission[] = [];
  /** The slice is too long, and was asked to stop. */
  failed = false;

  withhold(emissions: readonly Emission[]): void {
    for (const emission of emissions) this.withheld.push(emission);
  }
}
