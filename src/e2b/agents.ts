// Connections to sandboxes, separate for each principal: sandboxes share a host name and so one HTTP/2 connection, on
// which a stream that is not read blocks all others.
import { Agent } from 'undici';

const IDLE_MS = 30_000;

type Entry = { readonly agent: Agent; open: number; idle: NodeJS.Timeout | undefined };

export class Agents {
  readonly #entries = new Map<string, Entry>();

  /** Call `release` when the response has ended; connections that are unused for a while are closed. */
  use(principalId: string): { readonly agent: Agent; release(): void } {
    const entry = this.#entries.get(principalId) ?? this.#add(principalId);
    clearTimeout(entry.idle);
    entry.open++;
    let released = false;
    return {
      agent: entry.agent,
      release: () => {
        if (released) return;
        released = true;
        entry.open--;
        if (entry.open === 0) entry.idle = setTimeout(() => this.#drop(principalId, entry), IDLE_MS).unref();
      },
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#entries].map(([principalId, entry]) => this.#drop(principalId, entry)));
  }

  #add(principalId: string): Entry {
    // No timeouts: streams of commands are long and may be silent, and each call has its own time limit. No limit on
    // connections: the streams of one run must not delay the calls of another.
    const agent = new Agent({ allowH2: true, headersTimeout: 0, bodyTimeout: 0 });
    const entry: Entry = { agent, open: 0, idle: undefined };
    this.#entries.set(principalId, entry);
    return entry;
  }

  async #drop(principalId: string, { agent, idle }: Entry): Promise<void> {
    clearTimeout(idle);
    this.#entries.delete(principalId);
    await agent.destroy();
  }
}
