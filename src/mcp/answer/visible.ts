// Escapes characters that a terminal or client would interpret or hide instead of showing: control characters, marks
// that change the direction of text, and invisible tag characters. Pure.

/** Line ends and tabs stay. */
const HIDDEN = /[^\P{Cc}\n\t]|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]|[\u{e0000}-\u{e007f}]/gu;

/** Uses the escapes of JSON, so that JSON text keeps its meaning. */
export const visible = (text: string): string => text.replaceAll('\r\n', '\n').replace(HIDDEN, escaped);

const escaped = (found: string): string =>
  found.replace(/[\s\S]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
