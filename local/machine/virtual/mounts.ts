// A disk with volumes mounted: what is below a mount is the volume's own, shared with all who mount it. A link that
// leads from one disk to another is not followed.
import { MountableFs } from 'just-bash';
import type { FileEvent, VolumeFiles } from '../machine.ts';
import { Disk } from './disk.ts';
import { VirtualFiles } from './files.ts';

/** A volume's content, as the control plane holds it and machines mount it. */
export class VirtualVolume implements VolumeFiles {
  readonly disk = new Disk('empty');
  readonly files = new VirtualFiles(this.disk);
}

type Call = (...args: unknown[]) => unknown;

/** What a disk knows of a path beside what every file system does. */
const OF_A_PATH = new Set(['uidOf', 'give', 'chown', 'metadataOf', 'setMetadata', 'readdirWithFileTypes']);

export function mountVolumes(root: Disk, volumes: ReadonlyMap<string, Disk>): Disk {
  if (volumes.size === 0) return root;
  const all = new MountableFs({ base: root });
  for (const [mount, disk] of volumes) all.mount(mount, disk);
  const ofItsDisk =
    (name: string) =>
    (path: string, ...rest: unknown[]) => {
      const [mount, disk] = [...volumes].find(([at]) => path === at || path.startsWith(`${at}/`)) ?? ['', root];
      return (Reflect.get(disk, name) as Call).call(disk, path.slice(mount.length) || '/', ...rest);
    };
  const onChange = (listener: (event: FileEvent) => void): (() => void) => {
    const stops = Array.from(volumes, ([mount, disk]) =>
      disk.onChange(event => listener({ ...event, path: mount + event.path })),
    );
    stops.push(root.onChange(listener));
    return () => {
      for (const stop of stops) stop();
    };
  };
  return new Proxy(root, {
    get(_root, name) {
      if (name === 'onChange') return onChange;
      if (typeof name === 'string' && OF_A_PATH.has(name)) return ofItsDisk(name);
      const owner = name in all ? all : root;
      const value: unknown = Reflect.get(owner, name);
      return typeof value === 'function' ? value.bind(owner) : value;
    },
  });
}
