// The microVM engine on the real E2B: the contract, no network, and no sandbox left running.
import { Sandbox } from 'e2b';
import { afterAll, expect, it, vi } from 'vitest';
import { RUNNER_METADATA } from '../../src/e2b/metadata.ts';
import { createE2bEngine } from '../../src/engine/microvm/engine.ts';
import { KIND } from '../../src/engine/protocol.ts';
import { DESCRIPTION } from '../contract/description.ts';
import { describeEngine } from '../contract/suite.ts';
import { runInPlaceOfRunner } from '../support/microvm.ts';
import { ACCOUNT, describeLive, REAL } from './live.ts';

describeLive('engine e2b, live', () => {
  describeEngine(
    'e2b on E2B',
    async () =>
      createE2bEngine({
        connection: ACCOUNT.e2b,
        ...{ descriptionJson: DESCRIPTION, runnerApiKey: REAL.apiKey },
        startTimeoutMs: 120_000,
      }),
    { machinePerRun: true },
  );

  it('the sandbox reaches nothing by TCP, DNS or UDP', async () => {
    const tries = `
      const net = require('node:net'), dns = require('node:dns'), dgram = require('node:dgram');
      const tcp = (host, port) => new Promise(r => {
        const s = net.connect({ host, port, timeout: 4000 }, () => r('open'));
        s.on('error', e => r(e.code)).on('timeout', () => { s.destroy(); r('timeout') });
      });
      const name = new Promise(r => { dns.lookup('example.com', e => r(e ? e.code : 'resolved')); setTimeout(r, 8000, 'timeout') });
      const udp = new Promise(r => {
        const s = dgram.createSocket('udp4').on('message', () => r('answered')).on('error', e => r(e.code));
        const query = Buffer.from('000101000001000000000000076578616d706c6503636f6d0000010001', 'hex');
        s.send(query, 53, '8.8.8.8', e => e && r(e.code)); setTimeout(r, 4000, 'timeout');
      });
      Promise.all([tcp('1.1.1.1', 443), tcp('8.8.8.8', 53), tcp('api.e2b.app', 443), tcp('169.254.169.254', 80), name, udp])
        .then(found => message(${KIND.done}, 0, JSON.stringify(found)));`;
    const outcome = await runInPlaceOfRunner(ACCOUNT, tries, 30_000);
    expect(outcome.status).toBe('completed');
    if (outcome.status !== 'completed') return;
    const found = JSON.parse(outcome.json) as string[];
    expect(found).toHaveLength(6);
    for (const end of found) expect(['open', 'resolved', 'answered']).not.toContain(end);
  });

  it('no process inside has a key in its environment or command line', async () => {
    const look = `
      const read = path => { try { return fs.readFileSync(path, 'latin1') } catch { return '' } };
      const all = fs.readdirSync('/proc').filter(n => /^\\\\d+$/.test(n)).map(n => read('/proc/' + n + '/environ') + read('/proc/' + n + '/cmdline'));
      message(${KIND.done}, 0, JSON.stringify(all.join('').match(/e2b_[0-9a-f]{16,}/gi) ?? []))`;
    expect(await runInPlaceOfRunner(ACCOUNT, look, 30_000)).toMatchObject({ json: '[]' });
  });

  afterAll(async () => {
    const runners = async () => {
      const found: string[] = [];
      const pages = Sandbox.list({ ...REAL, query: { state: ['running'] } });
      while (pages.hasNext)
        for (const { sandboxId, metadata } of await pages.nextItems())
          if (RUNNER_METADATA in metadata) found.push(sandboxId);
      return found;
    };
    await vi.waitFor(async () => expect(await runners()).toEqual([]), { timeout: 60_000, interval: 2_000 });
  });
});
