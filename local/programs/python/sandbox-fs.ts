// The sandbox's files as Emscripten sees a file system, for the Python inside a worker: nodes and streams, put together.
// Runs in the worker; knows only the host's calls.

import { type CallHost, HostFailure } from '../protocol.ts';
import { type EmscriptenFs, ERRNO, type Node, S_IFDIR } from './emscripten-fs.ts';
import { NodeOperations } from './node-operations.ts';
import { OpenFiles } from './open-files.ts';
import { StreamOperations } from './stream-operations.ts';

export type SandboxFs = {
  /** Called by Emscripten. */
  mount(): Node;
  /** Before anyone else looks: what is open and changed. */
  syncAll(): void;
};

export function sandboxFs(FS: EmscriptenFs, callHost: CallHost): SandboxFs {
  const call = withErrno(FS, callHost);
  const files = new OpenFiles(call);
  const make = (parent: Node | null, name: string, mode: number): Node => {
    const node = FS.createNode(parent, name, mode, 0);
    node.node_ops = nodeOperations;
    node.stream_ops = streamOperations;
    return node;
  };
  const nodeOperations = new NodeOperations(FS, call, files, make);
  const streamOperations = new StreamOperations(FS, files);
  return {
    mount: () => make(null, '/', S_IFDIR | 0o777),
    syncAll: () => files.flushAll(),
  };
}

/** The host's refusals as Emscripten's errors. */
function withErrno(FS: EmscriptenFs, call: CallHost): CallHost {
  return (op, args) => {
    try {
      return call(op, args);
    } catch (caught) {
      throw caught instanceof HostFailure ? new FS.ErrnoError(ERRNO[caught.code]) : caught;
    }
  };
}
