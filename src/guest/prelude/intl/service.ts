// Creates a constructor of Intl whose methods call the host. What is special about each is in its own file.
import { ask, GENERAL, localeList, type OptionKinds, optionKinds, plainOptions, specOf } from './ask.ts';

type State = { readonly spec: string; readonly resolved: object; readonly bound: Record<string, unknown> };
type Call = (...args: never[]) => readonly unknown[];

export type ServiceOptions = {
  readonly type: string;
  readonly options: OptionKinds;
  /** Whether it can be called without `new`, like NumberFormat, DateTimeFormat and Collator. */
  readonly callable?: boolean;
  /** Whether the options must be an object or undefined. */
  readonly strictOptions?: boolean;
  /** Methods that the host answers: from their arguments to those of the host's method. */
  readonly calls?: Readonly<Record<string, Call>>;
  readonly methods?: Readonly<Record<string, (spec: string, ...args: never[]) => unknown>>;
  /** Getters that return a function bound to the object, so that `list.map(format.format)` works. */
  readonly bound?: Readonly<Record<string, (spec: string) => unknown>>;
  readonly complete?: (options: Record<string, string | boolean>) => void;
};

export type Service = (new (locales?: unknown, options?: unknown) => object) & { prototype: object };

const states = new WeakMap<object, State>();

function stateOf(instance: unknown, type: string): State {
  const state = typeof instance === 'object' && instance !== null ? states.get(instance) : undefined;
  if (state === undefined)
    throw new TypeError(`Method Intl.${type} called on incompatible receiver ${String(instance)}`);
  return state;
}

export function createService(definition: ServiceOptions): Service {
  const { type, callable = false, calls = {}, methods = {}, bound = {} } = definition;
  const Constructor = function (this: unknown, locales?: unknown, options?: unknown): object {
    if (new.target === undefined && !callable) throw new TypeError(`Constructor Intl.${type} requires 'new'`);
    const instance = Object.create((new.target ?? Constructor).prototype as object) as object;
    states.set(instance, stateFor(definition, locales, options));
    return instance;
  } as unknown as Service;
  Object.defineProperty(Constructor, 'name', { value: type, configurable: true });

  const prototype: object = {};
  hidden(prototype, 'constructor', Constructor);
  for (const [name, call] of Object.entries(calls))
    hidden(prototype, name, function (this: unknown, ...args: never[]) {
      return ask(stateOf(this, type).spec, [name, ...call(...args)]);
    });
  for (const [name, method] of Object.entries(methods))
    hidden(prototype, name, function (this: unknown, ...args: never[]) {
      return method(stateOf(this, type).spec, ...args);
    });
  for (const name of Object.keys(bound))
    Object.defineProperty(prototype, name, {
      get(this: unknown) {
        const state = stateOf(this, type);
        state.bound[name] ??= bound[name]?.(state.spec);
        return state.bound[name];
      },
      configurable: true,
    });
  hidden(prototype, 'resolvedOptions', function (this: unknown) {
    return { ...stateOf(this, type).resolved };
  });
  Object.defineProperty(prototype, Symbol.toStringTag, { value: `Intl.${type}`, configurable: true });
  Object.defineProperty(Constructor, 'prototype', { value: prototype, writable: false });
  hidden(Constructor, 'supportedLocalesOf', (locales?: unknown, options?: unknown) =>
    ask(GENERAL, [
      'supportedLocalesOf',
      type,
      localeList(locales),
      plainOptions(options, optionKinds('localeMatcher')),
    ]),
  );
  return Constructor;
}

function stateFor(definition: ServiceOptions, locales: unknown, options: unknown): State {
  const { type, options: kinds, strictOptions = false, complete } = definition;
  if (strictOptions && options !== undefined && (typeof options !== 'object' || options === null))
    throw new TypeError('Incorrect options: give an object');
  const plain = plainOptions(options, kinds);
  complete?.(plain);
  const spec = specOf(type, locales, plain);
  return { spec, resolved: ask(spec, ['resolvedOptions']) as object, bound: {} };
}

/** Defines a member that is not enumerable, like the language's own methods. */
export function hidden(owner: object, name: string, value: unknown): void {
  Object.defineProperty(owner, name, { value, writable: true, configurable: true, enumerable: false });
}
