// The description as the text handed to an engine's `describe`. The guest parses it and calls createSearch.
import type { Description } from './description.ts';

/** JSON text; everything in it was bounded by slim, so it needs no cap of its own. */
export function toGuestDescription(description: Description): string {
  return JSON.stringify(description);
}
