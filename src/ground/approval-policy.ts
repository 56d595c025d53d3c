// The policies for approvals: which calls a person is asked about. The setting and the header use these names.

/** From loose to strict. `ends`: calls that end or delete something. `writes`: all calls that change something. */
export const POLICIES = ['off', 'ends', 'writes'] as const;
export type Policy = (typeof POLICIES)[number];

export const stricter = (one: Policy, other: Policy): Policy =>
  POLICIES.indexOf(one) > POLICIES.indexOf(other) ? one : other;
