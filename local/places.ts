// The places a team has for running sandboxes. One is held while a machine starts, so that simultaneous creates cannot
// pass the limit.
import { CloudError } from './cloud-error.ts';

export class Places {
  readonly #starting = new Map<string, number>();
  readonly #maxPerTeam: number;

  constructor(maxPerTeam: number) {
    this.#maxPerTeam = maxPerTeam;
  }

  /** The returned function gives it back. @throws CloudError too_many_running */
  hold(teamId: string, running: number): () => void {
    const starting = this.#starting.get(teamId) ?? 0;
    if (running + starting >= this.#maxPerTeam) throw new CloudError('too_many_running');
    this.#starting.set(teamId, starting + 1);
    return () => {
      const left = (this.#starting.get(teamId) ?? 1) - 1;
      if (left === 0) this.#starting.delete(teamId);
      else this.#starting.set(teamId, left);
    };
  }
}
