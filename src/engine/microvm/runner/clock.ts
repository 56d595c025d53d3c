// The clock of a guest whose run is recorded or replayed, see taped.ts. The embedded engine has the same for all guests.

/**
 * The text of this function is evaluated in the guest's context before anything else, so it uses only built-ins of that
 * context. Returns the function that sets the clock, which the guest's code cannot reach.
 */
export function installClock(startedMs: number, readsAMs: number): (atMs: number) => void {
  const RealDate = Date;
  const { apply, construct, defineProperty, getOwnPropertyDescriptor } = Reflect;
  const { floor } = Math;
  const asText = RealDate.prototype.toString;
  let base = startedMs;
  let reads = 0;
  const now = (): number => base + floor(reads++ / readsAMs);
  const replace = (owner: object, name: string, own: PropertyDescriptor): void => {
    defineProperty(owner, name, { ...getOwnPropertyDescriptor(owner, name), ...own });
  };

  replace(RealDate, 'now', { value: { now: (): number => now() }.now });
  const Clocked = new Proxy(RealDate, {
    construct: (target, args, newTarget) => construct(target, args.length === 0 ? [now()] : args, newTarget) as object,
    apply: target => apply(asText, construct(target, [now()]), []) as string,
  });
  replace(RealDate.prototype, 'constructor', { value: Clocked });
  replace(globalThis, 'Date', { value: Clocked });

  const format = Intl.DateTimeFormat.prototype;
  const getFormat = getOwnPropertyDescriptor(format, 'format')?.get;
  const { formatToParts } = format;
  replace(format, 'format', {
    get(this: unknown) {
      const bound = apply(getFormat as () => unknown, this, []) as (date: unknown) => string;
      return (date?: unknown): string => bound(date === undefined ? now() : date);
    },
  });
  replace(format, 'formatToParts', {
    value: {
      formatToParts(this: unknown, date?: unknown): unknown {
        return apply(formatToParts, this, [date === undefined ? now() : date]);
      },
    }.formatToParts,
  });

  return atMs => {
    if (atMs <= base + floor(reads / readsAMs)) return;
    base = atMs;
    reads = 0;
  };
}
