// Suggests names: reading a member that does not exist, but whose name is close to an existing one, throws an error with
// the right name. Other missing members are undefined, as usual.

/** Names that the language and feature tests read. */
const USUAL_NAMES = new Set('then toJSON constructor inspect length name nodeType valueOf prototype'.split(' '));

/** `what`: the object's name in the error. */
export function suggestNames(target: object, what: string): void {
  const next = Object.getPrototypeOf(target) as object;
  // Taken before hints are added, which are not members to suggest.
  const members = Object.getOwnPropertyNames(target);
  const suggest = new Proxy(next, {
    get(beyond, name, receiver) {
      if (typeof name === 'symbol' || name in beyond || USUAL_NAMES.has(name))
        return Reflect.get(beyond, name, receiver);
      const meant = nearest(name, [...members, ...Object.getOwnPropertyNames(receiver as object)]);
      if (meant === undefined) return undefined;
      throw new TypeError(`${what} has no ${name}: did you mean ${meant}?`);
    },
  });
  Object.setPrototypeOf(target, suggest);
}

function nearest(name: string, members: readonly string[]): string | undefined {
  const plain = (text: string) => text.toLowerCase().replace(/[_-]/g, '');
  const asked = plain(name);
  const most = asked.length < 5 ? 1 : 2;
  let best: string | undefined;
  let least = most + 1;
  for (const member of members) {
    // Typing mistakes are rarely in the first letter, while different words mostly differ there.
    if (member === 'constructor' || plain(member)[0] !== asked[0]) continue;
    const distance = distanceOf(asked, plain(member), least);
    if (distance < least) [best, least] = [member, distance];
  }
  return best;
}

/** The number of letters to change, add, remove or swap with the next; `limit` if there are as many or more. */
function distanceOf(one: string, other: string, limit: number): number {
  if (Math.abs(one.length - other.length) >= limit) return limit;
  let before: number[] = [];
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const change = (row[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      const swap = isSwap ? (before[j - 2] ?? 0) + 1 : change;
      next.push(Math.min(change, swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    before = row;
    row = next;
  }
  return row[other.length] ?? limit;
}

/** Makes the methods reject instead of throw when arguments are wrong. `except`: methods that are not asynchronous. */
export function rejecting(target: object, except: readonly string[] = []): void {
  for (const name of Object.getOwnPropertyNames(target)) {
    const { value, writable } = Object.getOwnPropertyDescriptor(target, name) ?? {};
    if (typeof value !== 'function' || writable !== true || name === 'constructor' || except.includes(name)) continue;
    const method = value as (...args: unknown[]) => unknown;
    const safe = {
      [name](this: unknown, ...args: unknown[]): unknown {
        try {
          return method.apply(this, args);
        } catch (error) {
          return Promise.reject(error);
        }
      },
    }[name];
    Object.defineProperty(target, name, { value: safe });
  }
}
