import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMachineAddress, isPrivateAddress } from './private-address.ts';

for (const address of [
  '127.0.0.1',
  '10.1.2.3',
  '172.31.255.255',
  '192.168.0.1',
  '169.254.169.254',
  '100.64.0.1',
  '0.0.0.0',
  '224.0.0.1',
  '255.255.255.255',
  '::1',
  '::',
  'fe80::1',
  'fd00::1',
  '::ffff:10.0.0.1',
  '::ffff:a9fe:a9fe',
  '::127.0.0.1',
  '::ffff:0:127.0.0.1',
  '64:ff9b::a00:1',
  '3fff::1',
  '5f00::1',
  '2001:db8::1',
]) {
  test(`${address} is private`, () => assert.equal(isPrivateAddress(address), true));
}

for (const address of [
  '1.1.1.1',
  '172.32.0.1',
  '192.169.0.1',
  '8.8.8.8',
  '2606:4700::1111',
  '::ffff:8.8.8.8',
]) {
  test(`${address} is public`, () => assert.equal(isPrivateAddress(address), false));
}

for (const address of ['169.254.169.254', '::ffff:169.254.169.254', 'fe80::1', 'fd00:ec2::254']) {
  test(`${address} is of the machine`, () => assert.equal(isMachineAddress(address), true));
}

for (const address of ['10.0.0.1', '127.0.0.1', 'fd00::1']) {
  test(`${address} is not of the machine`, () => assert.equal(isMachineAddress(address), false));
}
