import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault } from '../../src/kernel/fault.ts';
import type { Command, CommandOutcome } from '../../src/kernel/ports.ts';
import { createDockerKeychain } from '../../src/oci/auth/docker-keychain.ts';

const FILE = '/home/me/.docker/config.json';

function keychainOf(
  config: unknown,
  help: (command: Command) => CommandOutcome | Error = () => new Error('no such program'),
  optional = false,
) {
  let now = 0;
  const commands: Command[] = [];
  const keychain = createDockerKeychain({
    file: FILE,
    optional,
    host: {
      clock: { now: () => now, wall: () => now },
      async readFile() {
        if (config === undefined) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
        return JSON.stringify(config);
      },
      async runCommand(command) {
        commands.push(command);
        const outcome = help(command);
        if (outcome instanceof Error) throw outcome;
        return outcome;
      },
    },
  });
  return { keychain, commands, advance: (milliseconds: number) => (now += milliseconds) };
}

const answer = (Username: string, Secret: string): CommandOutcome => ({
  code: 0,
  stdout: JSON.stringify({ ServerURL: 'x', Username, Secret }),
});

test('a helper of one registry goes before the store of all', async () => {
  const config = { credsStore: 'store', credHelpers: { 'reg.example': 'cloud' } };
  const { keychain, commands } = keychainOf(config, ({ command }) => answer(command, 'hunter2'));
  const found = await keychain.find('reg.example', 'p');
  assert.ok(found !== undefined && !isFault(found) && found.kind === 'password');
  assert.deepEqual([found.username, found.password.reveal()], ['docker-credential-cloud', 'hunter2']);
  await keychain.find('docker.io', 'library/p');
  assert.deepEqual(
    commands.map(({ command, args, input }) => [command, ...args, input]),
    [
      ['docker-credential-cloud', 'get', 'reg.example'],
      ['docker-credential-store', 'get', 'https://index.docker.io/v1/'],
    ],
  );
});

for (const name of ['https://index.docker.io/v1/', 'index.docker.io', 'docker.io']) {
  test(`a helper of \`${name}\` is that of Docker Hub`, async () => {
    const { keychain, commands } = keychainOf({ credHelpers: { [name]: 'hub' } }, () => answer('u', 'p'));
    await keychain.find('docker.io', 'library/p');
    assert.deepEqual(
      commands.map(({ command }) => command),
      ['docker-credential-hub'],
    );
  });
}

test('a helper is asked again after a while, and not each time', async () => {
  const { keychain, commands, advance } = keychainOf({ credsStore: 's' }, () => answer('u', 'p'));
  await Promise.all([keychain.find('r.x', 'p'), keychain.find('r.x', 'p')]);
  assert.equal(commands.length, 1);
  advance(30_001);
  await keychain.find('r.x', 'p');
  assert.equal(commands.length, 2);
});

test('`<token>` is the name of an identity token', async () => {
  const { keychain } = keychainOf({ credsStore: 's' }, () => answer('<token>', 'hunter2'));
  const found = await keychain.find('r.x', 'p');
  assert.ok(found !== undefined && !isFault(found));
  assert.equal(found.kind, 'identity-token');
});

test('what a helper does not know may stand in the file', async () => {
  const auths = { 'r.x': { auth: Buffer.from('u:p').toString('base64') } };
  const { keychain } = keychainOf({ credsStore: 's', auths }, () => ({
    code: 1,
    stdout: 'credentials not found in native keychain\n',
  }));
  const found = await keychain.find('r.x', 'p');
  assert.ok(found !== undefined && !isFault(found) && found.kind === 'password');
  assert.equal(await keychain.find('other.x', 'p'), undefined);
});

for (const [name, outcome] of [
  ['fails', { code: 1, stdout: 'hunter2' }],
  ['writes something else', { code: 0, stdout: 'hunter2' }],
  ['is not there', new Error('spawn ENOENT')],
] as const) {
  test(`a helper that ${name} is a fault, and never nobody`, async () => {
    const { keychain } = keychainOf({ credsStore: 's' }, () => outcome);
    const found = await keychain.find('r.x', 'p');
    assert.ok(isFault(found));
    assert.equal(found.code, 'PC_OCI_CREDENTIALS');
    assert.doesNotMatch(found.message, /hunter2/);
  });
}

test('a file that is named has to be there', async () => {
  const fault = await keychainOf(undefined).keychain.find('r.x', 'p');
  assert.ok(isFault(fault));
  assert.equal(fault.message, `cannot read \`${FILE}\`: ENOENT`);
  assert.equal(await keychainOf(undefined, undefined, true).keychain.find('r.x', 'p'), undefined);
});
