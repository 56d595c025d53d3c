// REST responses spell ids with a capital D (sandboxID), the SDK does not (sandboxId). Reading the SDK's name from a
// response returns the value too, and adds a note about the right spelling.
import { run } from '../bridge.ts';
import * as is from '../intrinsics.ts';
import { addNote } from '../notes.ts';

const MAX_ITEMS = 1_000;

let read: boolean | undefined;

/** Whether the agent's code can read an alias. Most code names none, and making them takes longer than the rest of a reply. */
export function readsAliases(): boolean {
  read ??=
    typeof run.evaluated !== 'function' || is.indexOf(is.functionText(run.evaluated as () => unknown), 'Id') >= 0;
  return read;
}

export function aliasIds(answer: unknown): unknown {
  const { data } = (answer ?? {}) as { data?: unknown };
  if (Array.isArray(data)) for (let at = 0; at < data.length && at < MAX_ITEMS; at++) alias(data[at]);
  else alias(data);
  return answer;
}

function alias(item: unknown): void {
  if (typeof item !== 'object' || item === null) return;
  for (const name of Object.keys(item)) {
    if (name[name.length - 1] !== 'D') continue; // a cheap test, because most names fail it
    const found = aliasOf(name);
    if (found === undefined || Object.hasOwn(item, found.name)) continue;
    Object.defineProperty(item, found.name, { get: found.get, configurable: true, enumerable: false });
  }
}

type Alias = { readonly name: string; readonly get: (this: unknown) => unknown };
/** By the name in the response. The items of a list share their names, so each alias is made once. */
const aliases = new is.MapCtor<string, Alias>();
const MAX_ALIASES = 100;

function aliasOf(name: string): Alias | undefined {
  const known = is.mapGet(aliases, name);
  if (known !== undefined) return known;
  if (!/[a-z]ID$/.test(name)) return undefined;
  const other = `${name.slice(0, -1)}d`;
  const made: Alias = {
    name: other,
    get() {
      addNote(`In REST answers it is written ${name}, not ${other}.`);
      return (this as Record<string, unknown>)[name];
    },
  };
  if (is.mapSize(aliases) < MAX_ALIASES) is.mapSet(aliases, name, made);
  return made;
}
