// Shortens text for messages. Pure.

/** The first `max` characters of `text`, with a count of the rest; surrogate pairs are not split. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  const end = /[\ud800-\udbff]/.test(text[max - 1] ?? '') ? max - 1 : max;
  return `${text.slice(0, end)}… (${text.length - end} more characters)`;
}
