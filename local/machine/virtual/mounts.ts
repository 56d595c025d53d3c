// A disk with volumes mounted: what is below a mount is the volume's own, shared with all who mount it. A link that
// leads from one disk to another is not followed.
import type { FileEvent, VolumeFiles } from '../machine.ts';
import { Disk } from './disk.ts';
import { VirtualFiles } from './files.ts';

/** A volume's content, as the control plane holds it and machines mount it. */
export class VirtualVolume implements VolumeFiles {
  readonly disk = new Disk('empty');
  readonly files = new VirtualFiles(this.disk);
}

/** `mount`: where the disk is mounted; empty for the root. */
type Place = { readonly disk: Disk; readonly path: string; readonly mount: string };
type Call = (...args: unknown[]) => unknown;

/** Methods with a second path. */
const TWO_PATHS = new Set(['mv', 'cp', 'link']);
/** Methods whose arguments are no paths of ours, or that concern all disks. */
const WHOLE = new Set(['resolvePath', 'channel', 'closeChannel', 'clone', 'rebooted', 'constructor']);

export function mountVolumes(root: Disk, mounts: ReadonlyMap<string, Disk>): Disk {
  if (mounts.size === 0) return root;
  const placeOf = (path: string): Place => {
    for (const [mount, disk] of mounts) {
      if (path === mount) return { disk, path: '/', mount };
      if (path.startsWith(`${mount}/`)) return { disk, path: path.slice(mount.length), mount };
    }
    return { disk: root, path, mount: '' };
  };
  const call = ({ disk, path }: Place, name: string, rest: readonly unknown[]): unknown =>
    (Reflect.get(disk, name, disk) as Call).call(disk, path, ...rest);

  const across = async (name: string, from: Place, to: Place): Promise<void> => {
    if (name === 'link') throw new Error('EXDEV: cross-device link not permitted');
    await copy(from, to);
    if (name === 'mv') await from.disk.rm(from.path, { recursive: true });
  };
  const onChange = (listener: (event: FileEvent) => void): (() => void) => {
    const stops = Array.from(mounts, ([mount, disk]) =>
      disk.onChange(event => listener({ ...event, path: mount + event.path })),
    );
    stops.push(root.onChange(listener));
    return () => {
      for (const stop of stops) stop();
    };
  };
  return new Proxy(root, {
    get(_root, name) {
      const value: unknown = Reflect.get(root, name, root);
      if (name === 'onChange') return onChange;
      if (name === 'realpath') {
        return async (path: string) => {
          const { disk, path: inner, mount } = placeOf(path);
          const real = await disk.realpath(inner);
          return mount !== '' && real === '/' ? mount : mount + real;
        };
      }
      if (typeof name !== 'string' || typeof value !== 'function' || WHOLE.has(name)) {
        return typeof value === 'function' ? (value as Call).bind(root) : value;
      }
      return (path: unknown, ...rest: unknown[]) => {
        if (typeof path !== 'string') return (value as Call).call(root, path, ...rest);
        // The target of a link is kept as it is; the place of the link is the second argument.
        if (name === 'symlink') {
          const at = placeOf(String(rest[0]));
          return (value as Call).call(at.disk, path, at.path, ...rest.slice(1));
        }
        const from = placeOf(path);
        if (!TWO_PATHS.has(name)) return call(from, name, rest);
        const to = placeOf(String(rest[0]));
        if (from.disk !== to.disk) return across(name, from, to);
        return call(from, name, [to.path, ...rest.slice(1)]);
      };
    },
  });
}

async function copy(from: Pick<Place, 'disk' | 'path'>, to: Pick<Place, 'disk' | 'path'>): Promise<void> {
  const stat = await from.disk.lstat(from.path);
  if (stat.isSymbolicLink) {
    await to.disk.symlink(await from.disk.readlink(from.path), to.path);
  } else if (stat.isDirectory) {
    await to.disk.mkdir(to.path, { recursive: true });
    for (const name of await from.disk.readdir(from.path)) {
      await copy(
        { disk: from.disk, path: `${from.path}/${name}` },
        { disk: to.disk, path: `${to.path === '/' ? '' : to.path}/${name}` },
      );
    }
  } else {
    await to.disk.writeFile(to.path, (await from.disk.readFileBuffer(from.path)).slice());
  }
}
