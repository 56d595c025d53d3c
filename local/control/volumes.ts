// Volumes of each team: names, ids, content and the tokens it is reached with.
import { randomUUID } from 'node:crypto';
import { posix } from 'node:path';
import type { VolumeMount } from '../cloud.ts';
import { same } from '../daemon/access.ts';
import { newToken } from '../ids.ts';
import type { VolumeFiles } from '../machine/machine.ts';
import { ApiError } from './errors.ts';
import type { Handlers } from './operation.ts';
import { TeamStore } from './team.ts';

export type Volume = {
  readonly id: string;
  readonly teamId: string;
  readonly name: string;
  readonly token: string;
  readonly content: VolumeFiles | undefined;
};

/** Undefined where machines share nothing. */
export type MakeVolume = () => Promise<VolumeFiles | undefined>;

export class VolumeStore extends TeamStore<Volume> {
  readonly #make: MakeVolume;

  constructor(make: MakeVolume) {
    super('Volume');
    this.#make = make;
  }

  /** @throws ApiError 400 when the team has one of that name */
  async create(teamId: string, name: string): Promise<Volume> {
    const content = await this.#make();
    if (this.ofTeam(teamId).some(volume => volume.name === name)) {
      throw new ApiError(400, `Volume with name '${name}' already exists`);
    }
    return this.set({ id: randomUUID(), teamId, name, token: newToken(), content });
  }

  /** The mounts with what they lead to, for the machine. @throws ApiError 400 that lists every mount that is wrong */
  mountsOf(teamId: string, mounts: readonly VolumeMount[]): VolumeMount[] {
    const volumes = this.ofTeam(teamId);
    const faults: string[] = [];
    const found = mounts.map((mount, at) => {
      const volume = volumes.find(each => each.name === mount.name);
      const taken = mounts.slice(0, at).some(earlier => earlier.path === mount.path);
      const fault = mountFault(volume, mount, taken);
      if (fault !== undefined) faults.push(`\t- volume mount #${at}: ${fault}`);
      return { name: mount.name, path: mount.path, content: volume?.content };
    });
    if (faults.length > 0) throw new ApiError(400, `invalid mounts:\n${faults.join('\n')}`);
    return found;
  }

  withToken(token: string): Volume | undefined {
    return this.all().find(volume => same(volume.token, token));
  }
}

function mountFault(volume: Volume | undefined, { name, path }: VolumeMount, taken: boolean): string | undefined {
  if (volume === undefined) return `volume '${name}' not found`;
  if (path === '') return 'path cannot be empty';
  if (!path.startsWith('/')) return 'path must be absolute';
  if (posix.resolve(path) !== path) return "path must not contain any '.' or '..' components";
  return taken ? `path '${path}' is already used` : undefined;
}

const brief = ({ id, name }: Volume) => ({ volumeID: id, name });
const full = (volume: Volume) => ({ ...brief(volume), token: volume.token });

export function volumeHandlers(volumes: VolumeStore): Handlers {
  return {
    'GET /volumes': ({ team }) => volumes.ofTeam(team.teamId).map(brief),
    'POST /volumes': async ({ team, body }) => full(await volumes.create(team.teamId, body.name)),
    'GET /volumes/{volumeID}': ({ team, param }) => full(volumes.get(team.teamId, param('volumeID'))),
    'DELETE /volumes/{volumeID}': ({ team, param }) => volumes.remove(volumes.get(team.teamId, param('volumeID'))),
  };
}
