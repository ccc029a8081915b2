import { equal, match, ok } from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { workDirectory } from '../app/support/certificates.ts';
import { refusedServe, serve } from '../app/support/serve.ts';
import { respond, wapc } from '../engines/kubewarden/support/guest-wat.ts';
import { podReview } from './open-gate.ts';

const ALLOW = '{"accepted":true}';
const FLAGS = [
  '--policies',
  'policies.yml',
  '--port',
  '0',
  '--addr',
  '127.0.0.1',
  '--workers',
  '1',
  '--log-fmt',
  'json',
];

test('a policy-server without a certificate speaks plain HTTP and warns; a server of ours does not start', async () => {
  const directory = await workDirectory();
  await writeFile(
    join(directory, 'allow.wasm'),
    wapc(`${respond(0, ALLOW.length)} (i32.const 1)`, { data: ALLOW }),
  );
  await writeFile(join(directory, 'policies.yml'), 'allow: {module: file://allow.wasm}\n');
  await writeFile(
    join(directory, 'portcullis.yaml'),
    'management: {port: 0}\nkubewarden: {readinessPort: 0}\n',
  );
  const served = await serve(directory, FLAGS, []);
  try {
    const answer = await fetch(`http://127.0.0.1:${served.port}/validate/allow`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(podReview()),
    });
    equal(answer.status, 200);
    match(await answer.text(), /"allowed":true/);
    ok(served.log.some(({ msg }) => /served without TLS/.test(String(msg))));
  } finally {
    served.process.kill('SIGKILL');
  }
  const refused = await refusedServe(directory, []);
  equal(refused.code, 2);
  match(refused.stderr, /`serving\.tls\.certFile` is missing/);
});
