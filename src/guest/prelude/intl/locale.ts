// Intl.Locale, and the functions of the Intl object.

import * as is from '../intrinsics.ts';
import { ask, GENERAL, localeList, optionKinds, plainOptions } from './ask.ts';
import { hidden } from './service.ts';

const FIELDS = [
  ...['baseName', 'calendar', 'caseFirst', 'collation', 'hourCycle', 'language', 'numberingSystem', 'numeric'],
  ...['region', 'script'],
] as const;
const DETAILS = ['calendars', 'collations', 'hourCycles', 'numberingSystems', 'textInfo', 'timeZones', 'weekInfo'];
const OPTIONS = optionKinds(
  'language script region calendar collation hourCycle caseFirst numeric:flag numberingSystem',
);

export class Locale {
  readonly #spec: string;
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(tag?: unknown, options?: unknown) {
    if (typeof tag !== 'string' && (typeof tag !== 'object' || tag === null))
      throw new TypeError("First argument to Intl.Locale constructor can't be empty or missing");
    this.#spec = is.stringify(['Locale', [`${tag as string}`], plainOptions(options, OPTIONS)]);
    this.#fields = ask(this.#spec, ['resolvedOptions']) as Record<string, unknown>;
  }

  toString(): string {
    return this.#fields.tag as string;
  }
  maximize(): Locale {
    return new Locale(ask(this.#spec, ['maximize']));
  }
  minimize(): Locale {
    return new Locale(ask(this.#spec, ['minimize']));
  }

  static {
    for (const name of FIELDS)
      Object.defineProperty(Locale.prototype, name, {
        get(this: Locale) {
          return this.#fields[name];
        },
        configurable: true,
      });
    for (const name of DETAILS) {
      const detail = function (this: Locale) {
        return ask(this.#spec, ['detail', name]);
      };
      Object.defineProperty(Locale.prototype, name, { get: detail, configurable: true });
      hidden(Locale.prototype, `get${name.charAt(0).toUpperCase()}${name.slice(1)}`, detail);
    }
    Object.defineProperty(Locale.prototype, Symbol.toStringTag, { value: 'Intl.Locale', configurable: true });
  }
}

export const functions = {
  getCanonicalLocales: (locales?: unknown) => ask(GENERAL, ['getCanonicalLocales', localeList(locales)]),
  supportedValuesOf: (key: unknown) => ask(GENERAL, ['supportedValuesOf', `${key as string}`]),
};
