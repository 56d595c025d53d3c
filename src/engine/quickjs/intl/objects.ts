// Intl objects of the host, created from a guest's description and cached. They are stateless, so all runs of a worker share
// them. Their number and the length of a description are limited.

type Options = Readonly<Record<string, string | boolean>>;

const MAKERS = {
  Collator: (locales: string[], options: Options) => new Intl.Collator(locales, options as object),
  DateTimeFormat: (locales: string[], options: Options) => new Intl.DateTimeFormat(locales, options as object),
  DisplayNames: (locales: string[], options: Options) => new Intl.DisplayNames(locales, options as never),
  ListFormat: (locales: string[], options: Options) => new Intl.ListFormat(locales, options as object),
  Locale: ([tag = '']: string[], options: Options) => new Intl.Locale(tag, options as object),
  NumberFormat: (locales: string[], options: Options) => new Intl.NumberFormat(locales, options as object),
  PluralRules: (locales: string[], options: Options) => new Intl.PluralRules(locales, options as object),
  RelativeTimeFormat: (locales: string[], options: Options) => new Intl.RelativeTimeFormat(locales, options as object),
  Segmenter: (locales: string[], options: Options) => new Intl.Segmenter(locales, options as object),
} as const;

export type IntlType = keyof typeof MAKERS;
export type Made = { [Type in IntlType]: { type: Type; object: ReturnType<(typeof MAKERS)[Type]> } }[IntlType];

const MAX_KEPT = 64;
const MAX_SPEC_CHARS = 6_000;
const MAX_LOCALES = 32;
const MAX_LOCALE_CHARS = 200;

const kept = new Map<string, Made>();

export const isIntlType = (name: unknown): name is IntlType => typeof name === 'string' && Object.hasOwn(MAKERS, name);

/** `spec` is `[type, locales, options]` as JSON. @throws RangeError, TypeError like the constructor */
export function objectFor(spec: string): Made {
  const known = kept.get(spec);
  if (known !== undefined) {
    kept.delete(spec);
    kept.set(spec, known); // the most recently used is removed last
    return known;
  }
  const made = make(spec);
  if (kept.size >= MAX_KEPT) for (const oldest of kept.keys()) if (kept.delete(oldest)) break;
  kept.set(spec, made);
  return made;
}

function make(spec: string): Made {
  if (spec.length > MAX_SPEC_CHARS) throw new RangeError('The locales and options are too long');
  const [type, locales, options] = JSON.parse(spec) as [unknown, unknown, unknown];
  if (!isIntlType(type)) throw new TypeError('Intl has no such constructor');
  return { type, object: MAKERS[type](checkLocales(locales), checkOptions(options)) } as Made;
}

export function checkLocales(locales: unknown): string[] {
  if (!Array.isArray(locales) || locales.length > MAX_LOCALES) throw new RangeError('Too many locales');
  for (const locale of locales)
    if (typeof locale !== 'string' || locale.length > MAX_LOCALE_CHARS) throw new RangeError('Invalid language tag');
  return locales as string[];
}

export function checkOptions(options: unknown): Options {
  if (typeof options !== 'object' || options === null) throw new TypeError('The options are not an object');
  for (const value of Object.values(options))
    if (typeof value !== 'string' && typeof value !== 'boolean') throw new TypeError('An option is no plain value');
  return options as Options;
}
