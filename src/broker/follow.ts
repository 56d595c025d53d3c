// Combines the abort signals of a run and of a call into one.

/**
 * Returns signals that abort when any of the given ones does. Adds only one listener to each of those, however many
 * calls there are.
 */
export function createFollower(): (...signals: readonly AbortSignal[]) => {
  readonly signal: AbortSignal;
  release(): void;
} {
  const following = new WeakMap<AbortSignal, Set<AbortController>>();
  const followersOf = (signal: AbortSignal) => {
    const known = following.get(signal);
    if (known !== undefined) return known;
    const followers = new Set<AbortController>();
    following.set(signal, followers);
    signal.addEventListener('abort', () => followers.forEach(follower => void follower.abort()), { once: true });
    return followers;
  };
  return (...signals) => {
    const controller = new AbortController();
    const groups = signals.map(followersOf);
    for (const group of groups) group.add(controller);
    if (signals.some(({ aborted }) => aborted)) controller.abort();
    return { signal: controller.signal, release: () => groups.forEach(group => void group.delete(controller)) };
  };
}
