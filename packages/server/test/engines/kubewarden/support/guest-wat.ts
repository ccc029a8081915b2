import { wat } from '../../../wasm-instrument/support/wat.ts';
import { watBytes } from '../../contract/wat-bytes.ts';

export const PAGES = 80;
/** The first byte that is not inside of the memory. */
export const OUTSIDE = PAGES * 65_536;
/** Where guests keep what they get. */
export const AT = { operation: 50_000, payload: 100_000, host: 60_000 } as const;

const VALID = '{"valid":true}';
const SETTINGS_AT = 49_000;
const VERSION = '"v1"';
const VERSION_AT = 49_500;
const METADATA = JSON.stringify({ protocolVersion: 'v1', mutating: false });

export interface GuestParts {
  /** Lies at 0. */
  readonly data?: Uint8Array | string;
  /** More members of the module. */
  readonly rest?: string;
  /** Of the custom section; undefined for none. */
  readonly metadata?: string | undefined;
  /** What is done for `validate_settings`. */
  readonly settings?: string;
}

const text = (value: string): string => watBytes(Buffer.from(value));

/** A waPC guest that does this for `validate`; `$op` and `$payload` are the two lengths. */
export function wapc(body: string, parts: GuestParts = {}): Uint8Array<ArrayBuffer> {
  const { data = '', rest = '', settings = `${respond(SETTINGS_AT, VALID.length)} (i32.const 1)` } = parts;
  const metadata = 'metadata' in parts ? parts.metadata : METADATA;
  return withMetadata(
    wat(`(module
    (import "wapc" "__guest_request" (func $request (param i32 i32)))
    (import "wapc" "__guest_response" (func $response (param i32 i32)))
    (import "wapc" "__guest_error" (func $error (param i32 i32)))
    (import "wapc" "__host_call" (func $host (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
    (import "wapc" "__host_response_len" (func $response_length (result i32)))
    (import "wapc" "__host_response" (func $host_response (param i32)))
    (import "wapc" "__host_error_len" (func $error_length (result i32)))
    (import "wapc" "__host_error" (func $host_error (param i32)))
    (import "wapc" "__console_log" (func $log (param i32 i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") ${PAGES})
    (data (i32.const 0) "${watBytes(Buffer.from(data))}")
    (data (i32.const ${SETTINGS_AT}) "${text(VALID)}")
    (data (i32.const ${VERSION_AT}) "${text(VERSION)}")
    ${rest}
    (func $validate (param $op i32) (param $payload i32) (result i32) ${body})
    (func $settings (param $payload i32) (result i32) ${settings})
    (func (export "__guest_call") (param $op i32) (param $payload i32) (result i32)
      (if (i32.eq (local.get $op) (i32.const ${'validate_settings'.length}))
        (then (return (call $settings (local.get $payload)))))
      (if (i32.eq (local.get $op) (i32.const ${'protocol_version'.length}))
        (then ${respond(VERSION_AT, VERSION.length)} (return (i32.const 1))))
      (call $validate (local.get $op) (local.get $payload))))`),
    metadata,
  );
}

/** A program that does this; `$asks_settings` is 1 when it is asked about those. */
export function program(body: string, parts: GuestParts = {}): Uint8Array<ArrayBuffer> {
  const { data = '', rest = '' } = parts;
  const metadata = 'metadata' in parts ? parts.metadata : '{"executionMode":"wasi","mutating":false}';
  return withMetadata(
    wat(`(module
    (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (import "host" "call" (func $host (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
    (memory (export "memory") ${PAGES})
    (data (i32.const 0) "${watBytes(Buffer.from(data))}")
    (data (i32.const ${SETTINGS_AT}) "${text(VALID)}")
    ${rest}
    (func $validate ${body})
    (func (export "_start")
      (drop (call $args_sizes (i32.const 48000) (i32.const 48004)))
      (if (i32.eq (i32.load (i32.const 48004)) (i32.const ${'policy.wasm\0validate-settings\0'.length}))
        (then ${print(SETTINGS_AT, VALID.length)} (return)))
      (call $validate)))`),
    metadata,
  );
}

export function respond(at: number, length: number): string {
  return `(call $response (i32.const ${at}) (i32.const ${length}))`;
}

/** To standard output, or another stream. */
export function print(at: number, length: number, fd = 1): string {
  return `(i32.store (i32.const 48016) (i32.const ${at})) (i32.store (i32.const 48020) (i32.const ${length}))
    (drop (call $write (i32.const ${fd}) (i32.const 48016) (i32.const 1) (i32.const 48024)))`;
}

/** Asks the host; the four texts lie one behind the other at `at`. */
export function callHost(texts: readonly [string, string, string, string], at: number): string {
  let start = at;
  const pairs = texts.map((value) => {
    const pair = `(i32.const ${start}) (i32.const ${value.length})`;
    start += value.length;
    return pair;
  });
  return `(call $host ${pairs.join(' ')})`;
}

/** wabt does not write custom sections. */
function withMetadata(
  module: Uint8Array<ArrayBuffer>,
  metadata: string | undefined,
): Uint8Array<ArrayBuffer> {
  if (metadata === undefined) return module;
  const name = 'io.kubewarden.metadata';
  const content = Buffer.concat([Buffer.from([name.length]), Buffer.from(name), Buffer.from(metadata)]);
  return new Uint8Array(Buffer.concat([module, Buffer.from([0]), leb128(content.length), content]));
}

function leb128(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}
