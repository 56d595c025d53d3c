// Decides who may use the last free workers while the slices of others occupy the rest. A slice cannot be interrupted within
// a built-in function of QuickJS, so whoever comes next must find a worker that is free or will be soon. Pure.
import type { PoolWorker } from './pool-worker.ts';

/** `base` workers. Others are added up to `max` while long slices occupy all, and one while a brief principal waits for short ones. */
export type Workers = { readonly workers: readonly PoolWorker[]; readonly base: number; readonly max: number };

/**
 * What is known of a principal. `brief`, `quick`: it has used little, in very short or short slices. `modest`: it has used
 * little. `new`: nothing is known, and keys can be invented. `heavy`: it has used much. `long`: a run of it was too long for
 * its trial.
 */
export type Standing = 'brief' | 'quick' | 'modest' | 'new' | 'heavy' | 'long';

export const isBrief = (standing: Standing): boolean => standing === 'brief';
export const isQuick = (standing: Standing): boolean => standing === 'brief' || standing === 'quick';

/** Below this average, a principal's slices are brief: waiting for a slice of somebody else takes longer than the slice itself. */
export const BRIEF_MS = 4;

/** A slice that has occupied its worker for this long counts as long. */
export const LONG_SLICE_MS = 25;

export const isLong = ({ slice }: PoolWorker): boolean =>
  slice !== undefined && performance.now() - slice.startedAt > LONG_SLICE_MS;

/** What is known of each principal. */
export type StandingOf = (principal: string) => Standing;

/**
 * When workers were added, one is kept for brief principals: the others may not occupy all. When no more can be added, another
 * one is kept for principals that are modest, or new and so on trial. A single principal that occupies all others does not
 * keep the rest from using them.
 */
export function mayTakeWorker({ workers, base, max }: Workers, principal: string, standingOf: StandingOf): boolean {
  const standing = standingOf(principal);
  const active = workers.filter(({ slice }) => slice !== undefined);
  const notBrief = active.filter(({ run }) => run === undefined || !isBrief(standingOf(run.principal)));
  if (workers.length > base && isEnough(isBrief(standing) ? active : notBrief, base, standing)) return false;
  const kept = workers.length > base && max > base + 1 && !isBrief(standing) ? 1 : 0;
  const others = new Set(active.flatMap(({ run }) => (run ? [run.principal] : [])));
  const oneOtherHasAll = others.size === 1 && !others.has(principal);
  if (kept > 0 && notBrief.length >= workers.length - kept && !oneOtherHasAll) return false;
  if (workers.length < max || max < 2) return true;
  const held = workers.filter(isLong);
  const soonFree = workers.filter(({ run, slice }) => slice === undefined || run?.trial !== undefined);
  if (standing === 'long' ? soonFree.length > 1 + kept : held.length < max - 1 - kept) return true;
  if (held.some(({ run }) => run?.principal === principal)) return false;
  return oneOtherHasAll || (standing !== 'heavy' && standing !== 'long');
}

/**
 * More than `base` short slices, or trials, at once would only slow each other down, so they do not get workers that were
 * added. One more is allowed for a brief principal, which does not need it for long. `active`: workers with slices that count.
 */
function isEnough(active: readonly PoolWorker[], base: number, standing: Standing): boolean {
  const trials = active.filter(({ run }) => run?.trial !== undefined);
  const short = active.filter(worker => worker.run?.trial === undefined && !isLong(worker));
  return short.length >= (isBrief(standing) ? base + 1 : base) || (standing === 'new' && trials.length >= base);
}

/** Whether `waiting` runs need another worker: the only free one is kept for others, and long slices occupy the rest. */
export function lacksWorker({ workers }: Workers, waiting: boolean): boolean {
  const notHeld = workers.filter(({ slice }) => slice?.held !== true);
  return waiting && notHeld.length === 1 && notHeld[0]?.slice === undefined;
}
