// Connections to sandboxes, apart for each principal: sandboxes share a host name, and with it one HTTP/2 connection, on
// which a stream that is not read holds up all others.
import { Agent } from 'undici';

const IDLE_MS = 30_000;

type Entry = { readonly agent: Agent; open: number; idle: NodeJS.Timeout | undefined };

export class Agents {
  readonly #entries = new Map<string, Entry>();

  /** `release` when the answer has ended: unused connections are closed after a while. */
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
    // Streams of commands are long and silent: each call keeps its own time. No limit of connections: one run's streams
    // must not keep another's calls waiting.
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
