// Node's os: a small Linux machine.
import { guestProcess } from './process.ts';

const cpu = { model: 'virtual', speed: 0 };

export const os = {
  platform: () => 'linux',
  arch: () => 'x64',
  type: () => 'Linux',
  release: () => '6.1.0',
  hostname: () => 'e2b.local',
  homedir: () => guestProcess.env.HOME ?? '/home/user',
  tmpdir: () => '/tmp',
  EOL: '\n',
  totalmem: () => 512e6,
  freemem: () => 448e6,
  cpus: () => [cpu, cpu],
  uptime: () => guestProcess.uptime(),
  userInfo: () => ({ username: 'user', homedir: '/home/user', uid: 1000, gid: 1000, shell: '/bin/bash' }),
};
