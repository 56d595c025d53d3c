// Splits the text of a response into parts for people. Output of a run may look like a part, so the parts are for
// display only, and the whole text is always one click away. Pure.

export type PartName = 'result' | 'note' | 'stdout' | 'stderr' | 'display' | 'calls';
type Part = { readonly name: PartName; readonly text: string };
export type Place = { readonly line: number; readonly column: number | undefined; readonly message: string };
export type Parts = {
  readonly parts: readonly Part[];
  /** The gateway's own sentences, after the closing marker. */
  readonly hints: string;
};

const MARKED = /^([\s\S]*?)<(untrusted-data-[0-9a-f-]{36})>\n([\s\S]*)\n<\/\2>([\s\S]*)$/;
const HEADING = /\n\n(?=(?:note|stdout|stderr|display|calls):[ \n])|\n+(?=\d+ calls?, [\d.,]+ m?s\b)/;

export function takeApart(text: string): Parts {
  const marked = MARKED.exec(text);
  const body = marked?.[3] ?? text;
  const hints = (marked?.[4] ?? '').trim();
  const parts = body.split(HEADING).flatMap((piece, at): Part[] => {
    if (at === 0) return [{ name: 'result', text: piece }];
    const heading = /^(note|stdout|stderr|display|calls):[ \n]/.exec(piece);
    if (heading !== null) return [{ name: heading[1] as PartName, text: piece.slice(heading[0].length) }];
    return /^\d+ calls?,/.test(piece) ? [{ name: 'calls', text: piece }] : [];
  });
  return { parts, hints };
}

export const partOf = ({ parts }: Parts, name: PartName): string | undefined =>
  parts.find(part => part.name === name)?.text;

/** Reads the place of an error in the code from the gateway's text. */
export function placeOf(text: string): Place | undefined {
  const place = /^ {2}at line (\d+)(?:, column (\d+))?:/m.exec(text);
  if (place === null) return undefined;
  const before = text.slice(0, place.index).trimEnd();
  const message = before.slice(before.lastIndexOf('\n') + 1).slice(0, 500);
  return { line: Number(place[1]), column: place[2] === undefined ? undefined : Number(place[2]), message };
}

/** Returns undefined if the text is not JSON. */
export function jsonIn(text: string): { readonly value: unknown } | undefined {
  if (!/^\s*[[{"\d\-tfn]/.test(text)) return undefined;
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

/** Shows control characters as symbols, and characters that change the direction of text as their number. */
export const visible = (text: string): string =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it makes them visible
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, char =>
      char === '\u007f' ? '\u2421' : String.fromCharCode(0x2400 + char.charCodeAt(0)),
    )
    .replace(/[\u0080-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, char => `⟨U+${hex(char)}⟩`);

const hex = (char: string): string => char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
