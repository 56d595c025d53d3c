// Shortens a result that is too long to valid JSON with notes on what is left out, so that the work of the run is not lost.
// Each value is rendered once, so this takes no longer than rendering what fits.
import * as is from './intrinsics.ts';
import { renderValue } from './render.ts';

const MAX_DEPTH = 8;
/** Reserved for the note about what is left out. */
const MARKER_CHARS = 80;

/** Valid JSON of at most `maxChars` characters. */
export function shorten(value: unknown, maxChars: number, depth = 0): string {
  const room = is.max(0, maxChars - MARKER_CHARS);
  if (typeof value === 'string') return shortenText(value, room);
  if (typeof value === 'object' && value !== null && depth < MAX_DEPTH) {
    if (is.isArray(value)) return shortenList(value, room, depth);
    const prototype = is.getPrototypeOf(value);
    if (prototype === is.ObjectPrototype || prototype === null)
      return shortenObject(value as Record<string, unknown>, room, depth);
  }
  return is.stringify(`… a value of more than ${maxChars} characters`);
}

function shortenText(text: string, room: number): string {
  // Most characters take one in JSON, so each side gets half of the room; if that is too long, less.
  for (let side = is.floor(room / 2); ; side = is.floor(side / 2)) {
    const cut = text.length - 2 * side;
    const shown = is.stringify(
      `${is.slice(text, 0, side)}… ${cut} more characters …${is.slice(text, text.length - side)}`,
    );
    if (shown.length <= room + MARKER_CHARS || side === 0) return shown;
  }
}

function shortenList(list: readonly unknown[], room: number, depth: number): string {
  let out = '';
  let kept = 0;
  for (; kept < list.length; kept++) {
    const left = room - out.length - 1;
    const rendered =
      renderValue(list[kept], left)?.json ?? (kept === 0 ? shorten(list[0], left, depth + 1) : undefined);
    if (rendered === undefined) break;
    out += (kept === 0 ? '' : ',') + rendered;
  }
  if (kept < list.length) out += `,"… ${list.length - kept} more of ${list.length} items"`;
  return `[${out}]`;
}

function shortenObject(record: Readonly<Record<string, unknown>>, room: number, depth: number): string {
  const names = is.keys(record);
  const share = is.floor(room / names.length);
  let out = '';
  let kept = 0;
  for (; kept < names.length; kept++) {
    const name = names[kept] as string;
    const key = `${kept === 0 ? '' : ','}${is.stringify(name)}:`;
    if (out.length + key.length + 2 > room) break;
    const left = room - out.length - key.length;
    const whole = renderValue(record[name], is.min(left, is.max(share, is.floor(left / 2))));
    out += key + (whole?.json ?? shorten(record[name], is.min(left, share), depth + 1));
  }
  if (kept < names.length) out += `${kept === 0 ? '' : ','}"…":"${names.length - kept} more of ${names.length} keys"`;
  return `{${out}}`;
}
