// Shows what a terminal or a client would act on or hide instead of showing it: control characters, marks that turn the
// direction of text, and the invisible tag characters. Pure.

/** Line ends and tabs are text. */
const HIDDEN = /[^\P{Cc}\n\t]|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]|[\u{e0000}-\u{e007f}]/gu;

/** Each as its escape in JSON, so that JSON stays JSON and means the same. */
export const visible = (text: string): string => text.replaceAll('\r\n', '\n').replace(HIDDEN, escaped);

const escaped = (found: string): string =>
  found.replace(/[\s\S]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
