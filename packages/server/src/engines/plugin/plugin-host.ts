import type { Logger } from '../../kernel/ports.ts';
import type { HostInterface } from '../../wasm/host-interface.ts';
import type { WasiContext } from '../../wasm/wasi/wasi-context.ts';
import { WASI_HOST } from '../../wasm/wasi/wasi-host.ts';

/** Bytes of output that a plugin may write; checked before anything is copied. */
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;
/** Bytes of log lines that one evaluation may write. */
const MAX_LOG_BYTES = 64 * 1024;

/** What one evaluation exchanges with its guest. */
export interface PluginCall extends WasiContext {
  /** The input document in pieces, so that the object's bytes are copied once, straight into the guest. */
  readonly input: readonly Uint8Array[];
  readonly inputLength: number;
  /** The last `write_output`; undefined when there was none. */
  output: Uint8Array | undefined;
  /** The last `write_output` was answered with -1: what the plugin wanted to say is not known. */
  isOutputRefused: boolean;
  logged: number;
  readonly log: Logger;
  readonly plugin: string;
}

const I32_I32 = { params: ['i32', 'i32'], results: ['i32'] } as const;

/** Imports of the plugin ABI. Every pointer and length is checked here: -1 means that nothing happened. */
export const PLUGIN_HOST: HostInterface<PluginCall> = {
  env: {
    get_input_len: {
      type: { params: [], results: ['i32'] },
      call: ({ context }) => context.inputLength,
    },

    // Always from the start of the input; a negative length means "everything", as the reference reads it.
    read_input: {
      type: I32_I32,
      call: ({ context, memory }, pointer, length) => {
        const count = Math.min(length >>> 0, context.inputLength);
        const target = memory.view(pointer >>> 0, count);
        if (target === undefined) return -1;
        let offset = 0;
        for (const piece of context.input) {
          if (offset + piece.length > count) {
            target.set(piece.subarray(0, count - offset), offset);
            return count;
          }
          target.set(piece, offset);
          offset += piece.length;
        }
        return count;
      },
    },

    write_output: {
      type: I32_I32,
      call: ({ context, memory }, pointer, length) => {
        const isSane = length >= 0 && length <= MAX_OUTPUT_BYTES;
        const source = isSane ? memory.view(pointer >>> 0, length) : undefined;
        context.output = source?.slice();
        context.isOutputRefused = source === undefined;
        return context.isOutputRefused ? -1 : 0;
      },
    },

    log_message: {
      type: { params: ['i32', 'i32'], results: [] },
      call: ({ context, memory }, pointer, length) => {
        if (length < 0 || context.logged + length > MAX_LOG_BYTES || !context.log.enabled('debug')) return;
        const source = memory.view(pointer >>> 0, length);
        if (source === undefined) return;
        context.logged += length;
        const line = decodeUtf8(source);
        if (line !== undefined)
          context.log.log('debug', line, { target: 'wasm_plugin', policy: context.plugin });
      },
    },
  },
  ...WASI_HOST,
};

const UTF8 = new TextDecoder('utf-8', { fatal: true });

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}
