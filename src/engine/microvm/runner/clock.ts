// The guest's clock where its run is recorded or replayed, see taped.ts: as the embedded engine has it for all guests.

/**
 * Evaluated in the guest's context, as text and before anything else there: it uses nothing but that context's own
 * built-ins. Returns what sets the clock, which no code of the guest can reach.
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
