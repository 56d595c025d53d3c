// REST answers spell ids with a capital D (sandboxID), the SDK does not (sandboxId). Asking for the SDK's name in an
// answer finds the value all the same, and a note says how it is written.
import * as is from '../intrinsics.ts';
import { addNote } from '../notes.ts';

const MAX_ITEMS = 1_000;

export function aliasIds(answer: unknown): unknown {
  const { data } = (answer ?? {}) as { data?: unknown };
  if (Array.isArray(data)) for (let at = 0; at < data.length && at < MAX_ITEMS; at++) alias(data[at]);
  else alias(data);
  return answer;
}

function alias(item: unknown): void {
  if (typeof item !== 'object' || item === null) return;
  for (const name of Object.keys(item)) {
    // The first test is the cheap one: most names fail it.
    if (is.slice(name, -2) !== 'ID' || !/[a-z]ID$/.test(name)) continue;
    const other = `${name.slice(0, -1)}d`;
    if (Object.hasOwn(item, other)) continue;
    Object.defineProperty(item, other, {
      get() {
        addNote(`In REST answers it is written ${name}, not ${other}.`);
        return (item as Record<string, unknown>)[name];
      },
      configurable: true,
      enumerable: false,
    });
  }
}
