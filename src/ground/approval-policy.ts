// What a person is asked about before it is sent. Setting, header and rules share the names.

/** From loose to strict. `ends`: what ends or deletes something. `writes`: everything that changes something. */
export const POLICIES = ['off', 'ends', 'writes'] as const;
export type Policy = (typeof POLICIES)[number];

export const stricter = (one: Policy, other: Policy): Policy =>
  POLICIES.indexOf(one) > POLICIES.indexOf(other) ? one : other;
