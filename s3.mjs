import { Sandbox } from '@e2b/code-interpreter';
import { startLocalCloud } from './dist/local/server.js';
import { createDataPlane, createMachineFactory } from './dist/local/data/plane.js';
const local = await startLocalCloud({ port: 0, machineFactory: createMachineFactory(process.env.SH ?? 'virtual'), dataPlane: createDataPlane });
const connection = { apiKey: 'e2b_' + '0'.repeat(40), apiUrl: local.url, sandboxUrl: local.url };
const s = await Sandbox.create({ ...connection, envs: { G: 'global' } });
for (const c of process.argv.slice(2)) { const t0 = performance.now(); try { 
 const m = /^(py|js|ts|bash|r|java):/.exec(c);
 const r = m ? await s.runCode(c.slice(m[0].length), { timeoutMs: 8000, ...(m[1]==='py'?{}:{language: {js:'javascript',ts:'typescript'}[m[1]]??m[1]}) }) : await s.commands.run(c, {timeoutMs: 8000}); console.log('>>', c, '→', JSON.stringify(r), Math.round(performance.now()-t0)+'ms'); } catch (e) { console.log('>>', c, '✗', e.name, e.message.slice(0,300), JSON.stringify(e.result), Math.round(performance.now()-t0)+'ms'); } }
await local.close();
