// Sends HTTP as bytes on a socket, for requests that no HTTP client sends.
import { connect, type Socket } from 'node:net';
import type { TestGateway } from './gateway.ts';

export const openSocket = ({ url }: TestGateway): Socket => connect(Number(new URL(url).port), '127.0.0.1');

/** The whole response until the gateway closes the connection. */
export function exchange(gateway: TestGateway, ...pieces: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = openSocket(gateway);
    let text = '';
    socket
      .on('error', reject)
      .on('data', chunk => (text += chunk))
      .on('close', () => resolve(text));
    for (const piece of pieces) socket.write(piece);
  });
}
