// Tables in which many names have the same value, with one line per value. Pure.

/** `names` are separated by spaces. */
export type Groups<Value> = readonly (readonly [value: Value, names: string])[];

/** Name -> value. The object has no prototype, so a lookup finds only names of the table. */
export function byName<Value>(groups: Groups<Value>): Readonly<Record<string, Value>> {
  const table = { __proto__: null } as unknown as Record<string, Value>;
  for (const [value, names] of groups) for (const name of names.split(' ')) table[name] = value;
  return Object.freeze(table);
}
