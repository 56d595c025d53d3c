// The global Intl of an engine that has none, and the methods of the language that rest on it. A script of its own: in
// the embedded engine's image it comes before the prelude; a microVM's Node has Intl.
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
