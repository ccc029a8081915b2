import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import createWabt from 'wabt';
import { compileAssemblyScript } from './compile-assemblyscript.ts';
import { embedModule, ROOT } from './embed-module.ts';

const FROM = 'packages/server/assembly/opa-adapter';
const TO = 'packages/server/src/engines/opa';
const ADAPTER = `${FROM}/adapter.wat`;
const READER = `${FROM}/reader/reader.ts`;
const BY = { tool: 'tools/build-opa-adapter.ts', script: 'opa-adapter' };

async function compileAdapter(): Promise<Buffer> {
  const wabt = await createWabt();
  const module = wabt.parseWat(ADAPTER, await readFile(join(ROOT, ADAPTER), 'utf8'));
  try {
    return Buffer.from(module.toBinary({}).buffer);
  } finally {
    module.destroy();
  }
}

await embedModule({
  ...BY,
  source: ADAPTER,
  target: `${TO}/adapter-module.ts`,
  name: 'ADAPTER_MODULE',
  compile: compileAdapter,
});
// Its memory is the guest's.
await embedModule({
  ...BY,
  source: READER,
  target: `${TO}/reader-module.ts`,
  name: 'READER_MODULE',
  compile: () => compileAssemblyScript(READER, '--importMemory --initialMemory 0'),
});
