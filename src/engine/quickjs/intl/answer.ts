// The host's side of the guest's Intl: takes a message and returns the reply as JSON. Computed with the ICU of this process
// on the worker that runs the guest, so the time counts as the guest's. Each run has one IntlHost.
import { checkLocales, checkOptions, isIntlType, objectFor } from './objects.ts';
import { list, operate, textOf } from './operations.ts';
import { Ranking } from './ranking.ts';

/** Maximum length of a call's arguments: two texts of maximum length, with each character escaped. */
const MAX_PAYLOAD_CHARS = 2_500_000;
const MAX_RANKINGS = 4;
const MAX_RANKED = { items: 50_000, chars: 2_000_000 };

type WithLocales = { supportedLocalesOf(locales: string[], options: object): string[] };

export class IntlHost {
  readonly #rankings = new Map<string, Ranking>();

  /**
   * `payload`: `[type, locales, options]` of an object, a line end, `[operation, …arguments]`, both as JSON. The reply is
   * `{ value }` or `{ error, message }`. After the line end there may also be `=` and a text, for its rank: `epoch rank`;
   * or `*` and a JSON list of texts, for their ranks: `epoch` and a JSON list.
   */
  answer(payload: string): string {
    try {
      const end = payload.indexOf('\n');
      const mark = payload[end + 1];
      if (mark === '=' || mark === '*') return this.#rank(payload.slice(0, end), mark, payload.slice(end + 2));
      return JSON.stringify({ value: this.#answer(payload, end) });
    } catch (caught) {
      const { name, message } = caught instanceof Error ? caught : new RangeError('This is not formatted here');
      return JSON.stringify({
        error: name === 'TypeError' ? 'TypeError' : 'RangeError',
        message: message.slice(0, 500),
      });
    }
  }

  #answer(payload: string, end: number): unknown {
    if (payload.length > MAX_PAYLOAD_CHARS) throw new RangeError('The text is too long to be formatted here');
    const spec = payload.slice(0, Math.max(end, 0));
    const call: unknown = JSON.parse(payload.slice(end + 1));
    if (!Array.isArray(call)) throw new TypeError('Malformed call of Intl');
    const [operation, ...args] = call as unknown[];
    if (spec === '') return general(operation, args);
    return operate(objectFor(spec), operation, args);
  }

  #rank(spec: string, mark: '=' | '*', text: string): string {
    let ranking = this.#rankings.get(spec);
    if (ranking === undefined) {
      const made = objectFor(spec);
      if (made.type !== 'Collator') throw new TypeError('Only a Collator ranks');
      if (this.#rankings.size >= MAX_RANKINGS) this.#rankings.clear();
      ranking = new Ranking(made.object.compare);
      this.#rankings.set(spec, ranking);
    }
    if (mark === '=') return ranking.rank(textOf(text)).join(' ');
    const [epoch, ranks] = ranking.rankAll(list(JSON.parse(textOf(text, MAX_PAYLOAD_CHARS)), MAX_RANKED));
    return `${epoch} ${JSON.stringify(ranks)}`;
  }
}

/** Calls that belong to no object. */
function general(operation: unknown, args: readonly unknown[]): unknown {
  switch (operation) {
    case 'getCanonicalLocales':
      return Intl.getCanonicalLocales(checkLocales(args[0]));
    case 'supportedValuesOf':
      return Intl.supportedValuesOf(textOf(args[0], 50) as 'unit');
    case 'supportedLocalesOf': {
      const [type, locales, options] = args;
      if (!isIntlType(type)) throw new TypeError('Intl has no such constructor');
      return (Intl[type] as unknown as WithLocales).supportedLocalesOf(checkLocales(locales), checkOptions(options));
    }
    case 'toLocaleUpperCase':
      return textOf(args[0]).toLocaleUpperCase(checkLocales(args[1]));
    case 'toLocaleLowerCase':
      return textOf(args[0]).toLocaleLowerCase(checkLocales(args[1]));
    case 'normalize':
      return textOf(args[0]).normalize(textOf(args[1], 10));
    default:
      throw new TypeError('Intl has no such function');
  }
}
