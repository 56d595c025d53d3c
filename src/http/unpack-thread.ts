// Entry of the thread that decompresses bodies. unpacker.ts starts it.
import { buffersOf } from '../ground/json-text.ts';
import { replyBy } from '../ground/pool-thread.ts';
import { type PackedBody, unpack } from './unpack.ts';

replyBy((body: PackedBody, moved) => {
  const unpacked = unpack(body);
  if ('bytes' in unpacked) moved.push(...buffersOf(unpacked.bytes));
  return unpacked;
});
