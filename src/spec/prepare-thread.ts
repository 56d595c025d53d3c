// Entry of the thread that prepare.ts starts: prepares one document and posts one reply, without a deadline of its own.
import { parentPort, workerData } from 'node:worker_threads';
import { toGatewayError } from '../errors.ts';
import { parseDocument } from './document.ts';
import type { PrepareReply, PrepareRequest } from './prepare.ts';
import { slim } from './slim.ts';
import { addMissing } from './words.ts';

const { text, base }: PrepareRequest = workerData;

function answer(): PrepareReply {
  try {
    return { description: addMissing(slim(parseDocument(text), base), base) };
  } catch (caught) {
    return { refused: toGatewayError(caught).message };
  }
}

parentPort?.postMessage(answer());
