// REST responses spell ids with a capital D (sandboxID), the SDK does not (sandboxId). Reading the SDK's name from a
// response returns the value too, and adds a note about the right spelling.
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
    // A cheap test first, because most names fail it.
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
