// Connections of clients that stop reading are closed, and other connections are not.
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import express from 'express';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { closeStalled } from '../../src/http/stalled.ts';

const TIMEOUT_MS = 300;
/** More than the buffers of the two sockets can hold. */
const LARGE = Buffer.alloc(24_000_000, 'x');

let server: Server;
let port: number;
/** Ends the response of /slow. */
let endRun: () => void;
/** Settles when the connection of a response is closed by either side. */
let over: Promise<void>;
let client: Socket;

beforeEach(async () => {
  const app = express().use(closeStalled(TIMEOUT_MS));
  over = new Promise(resolve => {
    app.use((_request, response, next) => {
      response.once('close', () => resolve());
      next();
    });
  });
  app.get('/large', (_request, response) => void response.end(LARGE));
  app.get('/slow', (_request, response) => {
    endRun = () => void response.end('done');
    response.flushHeaders();
  });
  server = createServer(app).listen(0, '127.0.0.1');
  await new Promise(resolve => server.once('listening', resolve));
  ({ port } = server.address() as AddressInfo);
});
afterEach(() => {
  client.destroy();
  server.close().closeAllConnections();
});

const get = (path: string): Socket => {
  client = connect(port, '127.0.0.1').on('error', () => {});
  client.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  return client;
};

it('the connection of a client that does not read its response is closed', async () => {
  get('/large').pause();
  await over; // it never would be
  expect(client.bytesRead).toBeLessThan(LARGE.length);
});

it('a client that reads slowly gets the whole response', async () => {
  let bytes = 0;
  get('/large').on('data', part => {
    bytes += part.length;
    client.pause();
    setTimeout(() => client.resume(), 1);
  });
  await new Promise(resolve => client.once('close', resolve));
  expect(bytes).toBeGreaterThan(LARGE.length);
});

it('the connection stays open while a run has not responded yet', async () => {
  let text = '';
  get('/slow').on('data', part => (text += part));
  setTimeout(() => endRun(), 3 * TIMEOUT_MS);
  await new Promise(resolve => client.once('close', resolve));
  expect(text).toContain('done');
});
