// Metadata keys of the sandboxes the gateway makes, and how its own are recognised among the user's.

/** On every sandbox in which the microVM engine runs agents' code; the value names its creation. */
export const RUNNER_METADATA = 'e2b-code-mode/runner';
