// Handles one request per connection at a time. Requests that a client sends before it has the response to the last one wait
// in order. Node would start all of them at once, and would not emit `close` for those that never get to respond.
import type { IncomingMessage, RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import type { RequestHandler } from 'express';
import { GatewayError } from '../errors.ts';
import { countPieces } from './pieces.ts';

/** Maximum number of waiting requests of a connection. The next one is refused, and that response closes the connection. */
const MAX_WAITING = 32;
/** Limits for a connection, and for all together, that still sends more; then it is closed at once. */
const MAX_HELD = 200;
const MAX_HELD_IN_ALL = 4_000;

type Lane = { readonly waiting: (() => void)[]; isBusy: boolean; isRefused: boolean; held: number };

const tooMany = new WeakSet<IncomingMessage>();

export function oneAtATime(listener: RequestListener): RequestListener {
  const lanes = new WeakMap<Socket, Lane>();
  let heldInAll = 0;

  const hold = (lane: Lane, requests: number) => {
    lane.held += requests;
    heldInAll += requests;
  };
  const laneOf = (socket: Socket): Lane => {
    const known = lanes.get(socket);
    if (known !== undefined) return known;
    const lane: Lane = { waiting: [], isBusy: false, isRefused: false, held: 0 };
    lanes.set(socket, lane);
    socket.once('close', () => {
      hold(lane, -lane.held);
      lane.waiting.length = 0;
    });
    return lane;
  };

  return (request, response) => {
    const { socket } = request;
    if (socket.destroyed) return;
    countPieces(request);
    const lane = laneOf(socket);
    const begin = () => {
      lane.isBusy = true;
      response.once('close', () => {
        lane.isBusy = false;
        const next = lane.waiting.shift();
        if (next === undefined || socket.destroyed) return;
        hold(lane, -1);
        next();
      });
      listener(request, response);
    };
    if (!lane.isBusy) return begin();
    hold(lane, 1);
    if (lane.held > MAX_HELD || heldInAll > MAX_HELD_IN_ALL) return void socket.destroy();
    if (lane.isRefused) return;
    if (lane.waiting.length >= MAX_WAITING) {
      lane.isRefused = true;
      tooMany.add(request);
      response.shouldKeepAlive = false;
    }
    lane.waiting.push(begin);
  };
}

export const refusePipelined: RequestHandler = (request, _response, next) => {
  if (tooMany.has(request))
    throw new GatewayError(
      'rate_limited',
      `More than ${MAX_WAITING} requests wait on this connection. Send the next one after a response.`,
    );
  next();
};
