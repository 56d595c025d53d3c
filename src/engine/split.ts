// Combines two engines: `search` runs on the first, the other tools on the second. `search` makes no API calls, so it does
// not need the stronger isolation that takes longer to start.
import type { Engine, EngineStats } from './engine.ts';

export function splitEngine(search: Engine, execute: Engine): Engine {
  return {
    name: `${execute.name} (search: ${search.name})`,
    nameFor: surface => (surface === 'search' ? search : execute).nameFor(surface),
    run: job => (job.surface === 'search' ? search : execute).run(job),
    async describe(descriptionJson) {
      await Promise.all([search.describe(descriptionJson), execute.describe(descriptionJson)]);
    },
    stats: () => sum(search.stats(), execute.stats()),
    async close() {
      await Promise.all([search.close(), execute.close()]);
    },
  };
}

function sum(a: EngineStats, b: EngineStats): EngineStats {
  return {
    workers: a.workers + b.workers,
    running: a.running + b.running,
    waiting: a.waiting + b.waiting,
    queued: a.queued + b.queued,
  };
}
