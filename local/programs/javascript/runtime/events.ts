// Node's EventEmitter.

type Listener = (...args: never[]) => unknown;

export class EventEmitter {
  #listeners = new Map<string | symbol, { call: Listener; once: boolean }[]>();

  on(event: string | symbol, listener: Listener): this {
    this.#of(event).push({ call: listener, once: false });
    return this;
  }
  once(event: string | symbol, listener: Listener): this {
    this.#of(event).push({ call: listener, once: true });
    return this;
  }
  off(event: string | symbol, listener: Listener): this {
    const kept = this.#of(event).filter(entry => entry.call !== listener);
    this.#listeners.set(event, kept);
    return this;
  }
  emit(event: string | symbol, ...args: unknown[]): boolean {
    const listeners = this.#of(event).slice();
    this.#listeners.set(
      event,
      this.#of(event).filter(entry => !entry.once),
    );
    if (event === 'error' && listeners.length === 0)
      throw args[0] instanceof Error ? args[0] : new Error(String(args[0]));
    for (const { call } of listeners) (call as (...values: unknown[]) => unknown).apply(this, args);
    return listeners.length > 0;
  }
  listenerCount(event: string | symbol): number {
    return this.#of(event).length;
  }
  removeAllListeners(event?: string | symbol): this {
    if (event === undefined) this.#listeners.clear();
    else this.#listeners.delete(event);
    return this;
  }
  addListener(event: string | symbol, listener: Listener): this {
    return this.on(event, listener);
  }
  removeListener(event: string | symbol, listener: Listener): this {
    return this.off(event, listener);
  }
  setMaxListeners(): this {
    return this;
  }

  #of(event: string | symbol): { call: Listener; once: boolean }[] {
    const listeners = this.#listeners.get(event) ?? [];
    this.#listeners.set(event, listeners);
    return listeners;
  }
}
