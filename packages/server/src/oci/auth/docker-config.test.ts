import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { Fault, isFault } from '../../kernel/fault.ts';
import { findEntry, parseDockerConfig } from './docker-config.ts';

const encoded = (text: string): string => Buffer.from(text).toString('base64');

function whoAt(config: unknown, registry: string, repository = 'team/policy'): string | undefined {
  const parsed = parseDockerConfig(JSON.stringify(config), '`config.json`');
  assert.ok(!isFault(parsed));
  const credential = findEntry(parsed, registry, repository)?.credential;
  if (credential === undefined) return undefined;
  return credential.kind === 'password'
    ? `${credential.username}/${credential.password.reveal()}`
    : `${credential.kind} ${credential.token.reveal()}`;
}

test('user and password are split at the first colon', () => {
  const auths = { 'reg.example': { auth: encoded('me:pass:word') } };
  assert.equal(whoAt({ auths }, 'reg.example'), 'me/pass:word');
});

test('tokens, and a user beside an empty `auth`', () => {
  assert.equal(whoAt({ auths: { r: { identitytoken: 'i', auth: encoded('u:') } } }, 'r'), 'identity-token i');
  assert.equal(whoAt({ auths: { r: { registrytoken: 'r' } } }, 'r'), 'registry-token r');
  assert.equal(whoAt({ auths: { r: { username: 'u', password: 'p' } } }, 'r'), 'u/p');
});

test('all names of Docker Hub are one registry', () => {
  for (const name of ['https://index.docker.io/v1/', 'docker.io', 'registry-1.docker.io']) {
    assert.equal(whoAt({ auths: { [name]: { auth: encoded('u:p') } } }, 'docker.io'), 'u/p');
  }
});

test('globs match one label each, ports are equal, paths are prefixes, longer names first', () => {
  const auths = {
    '*.dkr.ecr.*.example': { auth: encoded('cloud:p') },
    'reg.example:5000': { auth: encoded('port:p') },
    'reg.example': { auth: encoded('host:p') },
    'reg.example/team': { auth: encoded('team:p') },
    'https://old.example/v2/team': { auth: encoded('old:p') },
  };
  assert.equal(whoAt({ auths }, '12.dkr.ecr.eu.example'), 'cloud/p');
  assert.equal(whoAt({ auths }, 'a.b.dkr.ecr.eu.example'), undefined);
  assert.equal(whoAt({ auths }, 'reg.example:5000'), 'port/p');
  assert.equal(whoAt({ auths }, 'reg.example'), 'team/p');
  assert.equal(whoAt({ auths }, 'reg.example', 'teams/policy'), 'host/p');
  assert.equal(whoAt({ auths }, 'reg.example:5001'), undefined);
  assert.equal(whoAt({ auths }, 'old.example'), 'old/p');
  assert.equal(whoAt({ auths }, 'evil-reg.example'), undefined);
});

test('the older form of Kubernetes is the bare map', () => {
  assert.equal(whoAt({ 'reg.example': { auth: encoded('u:p') } }, 'reg.example'), 'u/p');
});

test('what a helper leaves behind says nothing', () => {
  assert.equal(whoAt({ auths: { 'reg.example': {} }, credsStore: 'desktop' }, 'reg.example'), undefined);
});

for (const [text, message] of [
  ['nonsense', '`f` is not a JSON object'],
  ['{"auths":[]}', '`f` has `auths` that are not an object'],
  ['{"auths":{"r":{"auth":"bm9jb2xvbg=="}}}', '`f` has an entry for `r` that cannot be read'],
  ['{"credsStore":"../../bin/sh"}', '`f` names a credential helper that cannot be one'],
  ['{"credHelpers":{"r":"a b"}}', '`f` names a credential helper that cannot be one'],
] as const) {
  test(`refused: ${text}`, () => {
    const fault = parseDockerConfig(text, '`f`') as Fault;
    assert.deepEqual([fault.code, fault.message], ['PC_OCI_CREDENTIALS', message]);
  });
}

test('nothing of a credential is shown', () => {
  const parsed = parseDockerConfig(JSON.stringify({ auths: { r: { auth: encoded('me:hunter2') } } }), '`f`');
  assert.doesNotMatch(`${inspect(parsed, { depth: 9 })}${JSON.stringify(parsed)}`, /hunter2/);
});
