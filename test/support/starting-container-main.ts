import { findEngine } from '../../src/container/find-engine.ts';

// Starts containers until the process is killed, for tests that kill it: node starting-container-main.js IMAGE NAME KEEP
const [image = '', name = '', keep] = process.argv.slice(2);
const engine = await findEngine();
process.stdout.write('begun\n');
const labels: Record<string, string> = keep === 'keep' ? { keep: 'yes' } : {};
const container = await engine.start({ image, name, init: 'systemd', controllers: true, labels });
process.stdout.write('booted\n');
await container.exec(['sleep', '600'], { timeout: 700_000 });
