// Data that connections have received and not parsed yet, limited for each and for all together.
import type { Socket } from 'node:net';

/** A connection with this much unparsed data is not read, so its client cannot send more, until a part is parsed. */
const MAX_HELD_BYTES = 131_072;
/** Counted for each packet, because packets may be small. */
const PACKET_BYTES = 512;
/** Beyond this limit for all connections together, none with unparsed data is read until half of it is parsed. */
const MAX_HELD_BYTES_IN_ALL = 16_777_216;

/** What all connections of a server hold. */
export class AllUnparsed {
  readonly #open = new Set<Unparsed>();
  #heldBytes = 0;
  isFull = false;

  add(unparsed: Unparsed): void {
    this.#open.add(unparsed);
  }

  delete(unparsed: Unparsed): void {
    this.#open.delete(unparsed);
  }

  hold(bytes: number): void {
    this.#heldBytes += bytes;
    const limit = this.isFull ? MAX_HELD_BYTES_IN_ALL / 2 : MAX_HELD_BYTES_IN_ALL;
    const isFull = this.#heldBytes >= limit;
    if (isFull === this.isFull) return;
    this.isFull = isFull;
    for (const unparsed of this.#open) unparsed.regulate();
  }
}

/** The unparsed data of one connection. */
export class Unparsed {
  readonly #socket: Pick<Socket, 'pause' | 'resume'>;
  readonly #all: AllUnparsed;
  #packets: Buffer[] = [];
  /** Memory of the packets. */
  #heldBytes = 0;

  constructor(socket: Pick<Socket, 'pause' | 'resume'>, all: AllUnparsed) {
    this.#socket = socket;
    this.#all = all;
    all.add(this);
  }

  get isEmpty(): boolean {
    return this.#heldBytes === 0;
  }

  /** The first packet. Only a part of it may be left. */
  get first(): Buffer {
    return this.#packets[0] ?? NOTHING;
  }

  push(packet: Buffer): void {
    this.#packets.push(packet);
    this.#hold(packet.length + PACKET_BYTES);
  }

  /** Takes up to `maxBytes` of the first packet. */
  take(maxBytes: number): Buffer {
    const { first } = this;
    const piece = first.subarray(0, maxBytes);
    const isWhole = piece.length === first.length;
    if (isWhole) this.#packets.shift();
    else this.#packets[0] = first.subarray(piece.length);
    this.#hold(-piece.length - (isWhole ? PACKET_BYTES : 0));
    return piece;
  }

  /** Reads from the socket, or stops reading, depending on how much waits to be parsed. */
  regulate(): void {
    if (this.#heldBytes < (this.#all.isFull ? 1 : MAX_HELD_BYTES)) this.#socket.resume();
    else this.#socket.pause();
  }

  discard(): void {
    this.#packets = [];
    this.#hold(-this.#heldBytes);
  }

  /** Call it when the connection is closed. */
  close(): void {
    this.#all.delete(this);
    this.discard();
  }

  #hold(bytes: number): void {
    this.#heldBytes += bytes;
    this.#all.hold(bytes);
  }
}

const NOTHING = Buffer.alloc(0);
