// Entry of the thread that decompresses bodies. unpacker.ts starts it.
import { replyBy } from '../ground/pool-thread.ts';
import { unpack } from './unpack.ts';

replyBy(unpack);
