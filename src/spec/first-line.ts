/** The first line of an error's message; parsers add a long excerpt of the text after it. */
export function firstLine(caught: unknown): string {
  return (caught instanceof Error ? caught.message : String(caught)).split('\n', 1)[0] ?? '';
}
