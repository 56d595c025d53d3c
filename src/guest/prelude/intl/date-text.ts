// Date.parse as in V8: the standard's format, or else a lenient parser for numbers, names of months and zones, in which
// any text may precede the first number. Local time is UTC.
import { amountOf, END, isDigits, isSign, millisecondsOf, type Token, tokensOf, within } from './date-tokens.ts';

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const ZONES: Readonly<Record<string, number>> = {
  ...{ z: 0, ut: 0, utc: 0, gmt: 0 },
  ...{ cdt: -5, cst: -6, edt: -4, est: -5, mdt: -6, mst: -7, pdt: -7, pst: -8 },
};

/** Milliseconds since 1970, or NaN if the text is not a date. */
export function timeOfText(text: string): number {
  const reading = new Reading(text);
  const next = reading.standard();
  if (next === undefined || !reading.lenient(next)) return Number.NaN;
  return reading.time();
}

class Reading {
  readonly #tokens: readonly Token[];
  #at = 0;
  readonly #days: number[] = [];
  #month: number | undefined;
  #isStandard = false;
  readonly #times: number[] = [];
  #afternoonHours: number | undefined;
  #zone: { sign?: number; hours?: number | undefined; minutes?: number | undefined } = {};

  constructor(text: string) {
    this.#tokens = tokensOf(text);
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? END;
  }
  #next(): Token {
    return this.#tokens[this.#at++] ?? END;
  }
  #skip(mark: string): boolean {
    const { kind, text } = this.#peek();
    const found = kind === 'mark' && text === mark;
    if (found) this.#at += 1;
    return found;
  }
  /** Consumes a number of two digits if it is at most `most`. */
  #two(most: number): number | undefined {
    if (!isDigits(this.#peek(), 2) || amountOf(this.#peek()) > most) return undefined;
    return amountOf(this.#next());
  }

  /** Parses `YYYY-MM-DDTHH:mm:ss.sssZ` and shorter forms. Returns the token at which `lenient` goes on, or undefined: no date. */
  standard(): Token | undefined {
    if (isSign(this.#peek())) {
      const sign = this.#next();
      if (!isDigits(this.#peek(), 6)) return sign;
      const year = amountOf(this.#next());
      if (sign.text === '-' && year === 0) return sign;
      this.#days.push(sign.text === '-' ? -year : year);
    } else if (isDigits(this.#peek(), 4)) this.#days.push(amountOf(this.#next()));
    else return this.#next();
    for (const most of [12, 31]) {
      if (!this.#skip('-')) break;
      if (!isDigits(this.#peek(), 2) || !within(amountOf(this.#peek()), 1, most)) return this.#next();
      this.#days.push(amountOf(this.#next()));
    }
    const separator = this.#peek();
    if (separator.text === 't') {
      this.#at += 1;
      if (!this.#standardTime() || !this.#standardZone() || this.#peek() !== END) return undefined;
    } else if (separator !== END) return this.#next();
    else this.#zone = { sign: 1, hours: 0, minutes: 0 };
    this.#isStandard = true;
    return END;
  }

  #standardTime(): boolean {
    const hours = this.#two(24);
    if (hours === undefined || !this.#skip(':')) return false;
    const most = hours === 24 ? 0 : 59;
    const minutes = this.#two(most);
    if (minutes === undefined) return false;
    this.#times.push(hours, minutes);
    if (!this.#skip(':')) return true;
    const seconds = this.#two(most);
    if (seconds === undefined) return false;
    this.#times.push(seconds);
    if (!this.#skip('.')) return true;
    const fraction = this.#peek();
    if (fraction.kind !== 'number' || (hours === 24 && amountOf(fraction) > 0)) return false;
    this.#times.push(millisecondsOf(this.#next()));
    return true;
  }

  #standardZone(): boolean {
    if (this.#peek().text === 'z') {
      this.#at += 1;
      this.#zone = { sign: 1, hours: 0, minutes: 0 };
      return true;
    }
    if (!isSign(this.#peek())) return true;
    const sign = this.#next().text === '-' ? -1 : 1;
    if (isDigits(this.#peek(), 4)) {
      const both = amountOf(this.#next());
      this.#zone = { sign, hours: Math.floor(both / 100), minutes: both % 100 };
      return both < 2400 && both % 100 < 60;
    }
    const hours = this.#two(23);
    if (hours === undefined || !this.#skip(':')) return false;
    const minutes = this.#two(59);
    this.#zone = { sign, hours, minutes };
    return minutes !== undefined;
  }

  /** Parses from `first` to the end. Returns false if the text is not a date. */
  lenient(first: Token): boolean {
    let afterNumber = this.#days.length > 0;
    for (let token = first; token !== END; token = this.#next()) {
      if (token.kind === 'number') {
        afterNumber = true;
        if (!this.#number(token)) return false;
      } else if (token.kind === 'word') {
        if (!this.#word(token.text, afterNumber)) return false;
      } else if (isSign(token) && (this.#inUtc() || this.#times.length > 0)) {
        afterNumber = true;
        if (!this.#offset(token.text === '-' ? -1 : 1)) return false;
      } else if (afterNumber && (isSign(token) || (token.kind === 'mark' && token.text === ')'))) return false;
    }
    return true;
  }

  #inUtc(): boolean {
    return this.#zone.hours === 0 && this.#zone.minutes === 0;
  }

  #addTime(value: number): boolean {
    return this.#times.length < 4 && this.#times.push(value) > 0;
  }
  #expectsTime(value: number): boolean {
    const place = this.#times.length;
    return place > 0 && place < 4 && within(value, 0, place < 3 ? 59 : 999);
  }
  /** Adds the last part of the time; no other can follow. */
  #lastTime(value: number): void {
    this.#addTime(value);
    while (this.#times.length < 4) this.#times.push(0);
  }

  #number(token: Token): boolean {
    const value = amountOf(token);
    if (this.#skip(':')) {
      if (this.#skip(':')) return this.#times.length === 0 && this.#addTime(value) && this.#addTime(0);
      if (!this.#addTime(value)) return false;
      this.#skip('.');
      return true;
    }
    if (this.#skip('.') && this.#expectsTime(value)) {
      this.#addTime(value);
      if (this.#peek().kind !== 'number') return false;
      this.#lastTime(millisecondsOf(this.#next()));
      return true;
    }
    if (this.#zone.hours !== undefined && this.#zone.minutes === undefined && within(value, 0, 59)) {
      this.#zone.minutes = value;
      return true;
    }
    if (this.#expectsTime(value)) {
      this.#lastTime(value);
      const after = this.#peek();
      return after === END || after.kind === 'space' || after.text === 'z' || isSign(after);
    }
    if (this.#days.length === 3) return false;
    this.#days.push(value);
    this.#skip('-');
    return true;
  }

  #word(word: string, afterNumber: boolean): boolean {
    const month = MONTHS.indexOf(word.slice(0, 3));
    const zone = Object.hasOwn(ZONES, word) ? ZONES[word] : undefined;
    if ((word === 'am' || word === 'pm') && this.#times.length > 0) this.#afternoonHours = word === 'pm' ? 12 : 0;
    else if (month >= 0) {
      this.#month = month + 1;
      this.#skip('-');
    } else if (zone !== undefined && afterNumber)
      this.#zone = { sign: zone < 0 ? -1 : 1, hours: Math.abs(zone), minutes: 0 };
    else return !afterNumber && this.#peek().kind !== 'number';
    return true;
  }

  #offset(sign: number): boolean {
    const given = this.#peek().kind === 'number' ? this.#next() : undefined;
    const value = given === undefined ? 0 : amountOf(given);
    const length = given?.text.length ?? 0;
    this.#zone.sign = sign;
    const { kind, text } = this.#peek();
    if (kind === 'mark' && text === ':') this.#zone = { sign, hours: value };
    else if (length === 1 || length === 2) this.#zone = { sign, hours: value, minutes: 0 };
    else if (length === 3 || length === 4) this.#zone = { sign, hours: Math.floor(value / 100), minutes: value % 100 };
    else return false;
    return true;
  }

  time(): number {
    const date = this.#date();
    const clock = this.#clock();
    const offset = this.#offsetMs();
    if (date === undefined || clock === undefined || offset === undefined) return Number.NaN;
    const time = daysMs(date) + clock - offset;
    return Math.abs(time) <= 8.64e15 ? time : Number.NaN;
  }

  #date(): { year: number; month: number; day: number } | undefined {
    if (this.#days.length === 0) return undefined;
    const [first = 1, second = 1, third = 1] = this.#days;
    const dayFirst = !this.#isStandard && within(first, 1, 31);
    let date: { year: number; month: number; day: number };
    if (this.#month !== undefined)
      date = { year: dayFirst ? second : first, month: this.#month, day: dayFirst ? first : second };
    else if (dayFirst) date = { year: third, month: first, day: second };
    else date = { year: first, month: second, day: third };
    if (!this.#isStandard && within(date.year, 0, 99)) date.year += date.year < 50 ? 2000 : 1900;
    return within(date.month, 1, 12) && within(date.day, 1, 31) ? date : undefined;
  }

  #clock(): number | undefined {
    let [hours = 0, minutes = 0, seconds = 0, milliseconds = 0] = this.#times;
    if (this.#afternoonHours !== undefined) {
      if (hours > 12) return undefined;
      hours = (hours % 12) + this.#afternoonHours;
    }
    const clock = ((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds;
    const isMidnight = hours === 24 && minutes === 0 && seconds === 0 && milliseconds === 0;
    const isTime = hours < 24 && minutes < 60 && seconds < 60 && milliseconds < 1000;
    return isTime || isMidnight ? clock : undefined;
  }

  #offsetMs(): number | undefined {
    const { sign, hours = 0, minutes = 0 } = this.#zone;
    if (sign === undefined) return 0;
    const seconds = (hours * 3600 + minutes * 60) >>> 0;
    return seconds < 2 ** 31 ? sign * seconds * 1000 : undefined;
  }
}

/** Date.UTC takes years below 100 as 19xx, so years are shifted by whole cycles (400 years) of the calendar. */
function daysMs({ year, month, day }: { year: number; month: number; day: number }): number {
  const cycles = Math.floor(year / 400) - 5;
  return Date.UTC(year - cycles * 400, month - 1, day) + cycles * 146_097 * 86_400_000;
}
