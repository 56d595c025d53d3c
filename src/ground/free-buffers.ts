// Frees large buffers at once. Otherwise V8 frees them in its next garbage collection, and starts a full one for about every
// 30 MB of them: sixteen blocks of 4 MB caused three, which took more time on the main thread than sending the blocks.
import { MessageChannel, type MessagePort } from 'node:worker_threads';

/** Sending to a port whose other end is closed takes the memory out of the buffers and drops it. */
const closed = /* @__PURE__ */ closedPort();

function closedPort(): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port2.close();
  return port1;
}

/** The buffers are empty afterwards. The system must not be writing from them any more: it would send freed memory. */
export function freeBuffers(buffers: ArrayBuffer[]): void {
  closed.postMessage(undefined, buffers);
}
