// The description as text for an engine's `describe`. The guest parses it and calls createSearch.
import type { Description } from './description.ts';

/** Returns JSON text. It needs no limit here, because slim has limited the description. */
export function toGuestDescription(description: Description): string {
  return JSON.stringify(description);
}
