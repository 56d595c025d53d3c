// How a sandbox of the engine's is known from outside, e.g. so that listings of the user's sandboxes can leave it out.

/** Metadata key of every sandbox this engine makes; the value names its creation. */
export const RUNNER_METADATA = 'e2b-code-mode/runner';
