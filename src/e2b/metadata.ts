// The metadata key by which the gateway's own sandboxes are distinguished from the user's.

/** Set on every sandbox in which the microVM engine runs agents' code; the value identifies the creation. */
export const RUNNER_METADATA = 'e2b-code-mode/runner';
