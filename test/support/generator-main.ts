/** Runs `plan` for many hosts, because an emulator starts slowly. Arguments: ROOT VERSION ... */
import { data, endWith, put, words } from 'host';
import { main } from '../../src/confgen/commands/main.ts';
import { quickJsHost } from '../../src/confgen/host/quickjs-host.ts';
import type { GeneratorData } from '../../src/confgen/model/data.ts';

const results = [];
const argv = words();
for (let index = 0; index < argv.length; index += 2) {
  const [root = '', kubeletVersion = ''] = argv.slice(index);
  const facts: GeneratorData = {
    ...(JSON.parse(data()) as GeneratorData),
    kubeletVersion: kubeletVersion === '' ? undefined : kubeletVersion,
  };
  let stdout = '';
  let stderr = '';
  const output = {
    out: (text: string) => {
      stdout += text;
    },
    err: (text: string) => {
      stderr += text;
    },
  };
  const exitCode = main(['plan', '--root', root, '--output', 'json'], quickJsHost(root), output, facts);
  results.push({ stdout, stderr, exitCode });
}
endWith(put(1, JSON.stringify(results)));
