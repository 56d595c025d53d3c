// The global Intl for the embedded engine, which has none, and the language's methods that use it. A separate script: the
// image loads it before the prelude, and the Node of a microVM has Intl already.
import { Collator, installCollation } from './collation.ts';
import { DateTimeFormat, installDates } from './dates.ts';
import { functions, Locale } from './locale.ts';
import { installNumbers, NumberFormat, PluralRules, RelativeTimeFormat } from './numbers.ts';
import { hidden } from './service.ts';
import { DisplayNames, installTexts, ListFormat, Segmenter } from './texts.ts';

const SERVICES = {
  Collator,
  DateTimeFormat,
  DisplayNames,
  ListFormat,
  Locale,
  NumberFormat,
  PluralRules,
  RelativeTimeFormat,
  Segmenter,
};

// The bundler may have renamed it.
Object.defineProperty(Locale, 'name', { value: 'Locale', configurable: true });

const namespace = {};
for (const [name, value] of Object.entries({ ...SERVICES, ...functions })) hidden(namespace, name, value);
Object.defineProperty(namespace, Symbol.toStringTag, { value: 'Intl', configurable: true });
hidden(globalThis, 'Intl', namespace);

installCollation();
installDates();
installNumbers();
installTexts();
