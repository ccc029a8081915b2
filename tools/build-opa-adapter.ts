import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import createWabt from 'wabt';
import { embedModule, ROOT } from './embed-module.ts';

const SOURCE = 'packages/server/assembly/opa-adapter/adapter.wat';

async function compile(): Promise<Buffer> {
  const wabt = await createWabt();
  const module = wabt.parseWat(SOURCE, await readFile(join(ROOT, SOURCE), 'utf8'));
  try {
    return Buffer.from(module.toBinary({}).buffer);
  } finally {
    module.destroy();
  }
}

await embedModule({
  source: SOURCE,
  target: 'packages/server/src/engines/opa/adapter-module.ts',
  name: 'ADAPTER_MODULE',
  tool: 'tools/build-opa-adapter.ts',
  script: 'opa-adapter',
  compile,
});
