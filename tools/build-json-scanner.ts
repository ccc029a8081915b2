import { compileAssemblyScript } from './compile-assemblyscript.ts';
import { embedModule } from './embed-module.ts';

const SOURCE = 'packages/server/assembly/json-scanner/scan.ts';

await embedModule({
  source: SOURCE,
  target: 'packages/server/src/kernel/json/scanner-module.ts',
  name: 'SCANNER_MODULE',
  tool: 'tools/build-json-scanner.ts',
  script: 'scanner',
  compile: () => compileAssemblyScript(SOURCE, '--initialMemory 5'),
});
