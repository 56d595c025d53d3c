/** Of an error's message: the rest shows the text around the place, which is long. */
export function firstLine(caught: unknown): string {
  return (caught instanceof Error ? caught.message : String(caught)).split('\n', 1)[0] ?? '';
}
