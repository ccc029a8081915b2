import type { HostFunction } from '../host-interface.ts';
import { ERRNO } from './errno.ts';
import type { WasiContext } from './wasi-context.ts';

/**
 * What needs files or sockets, of which there are none. Parameters by letter: `i` is i32, `I` is i64; each returns an error
 * number.
 */
const NO_FILES: Readonly<Record<string, string>> = {
  fd_advise: 'iIIi',
  fd_allocate: 'iII',
  fd_fdstat_set_rights: 'iII',
  fd_filestat_set_size: 'iI',
  fd_filestat_set_times: 'iIIi',
  fd_pread: 'iiiIi',
  fd_prestat_dir_name: 'iii',
  fd_prestat_get: 'ii',
  fd_pwrite: 'iiiIi',
  fd_readdir: 'iiiIi',
  fd_renumber: 'ii',
  path_create_directory: 'iii',
  path_filestat_get: 'iiiii',
  path_filestat_set_times: 'iiiiIIi',
  path_link: 'iiiiiii',
  path_open: 'iiiiiIIii',
  path_readlink: 'iiiiii',
  path_remove_directory: 'iii',
  path_rename: 'iiiiii',
  path_symlink: 'iiiii',
  path_unlink_file: 'iii',
  sock_accept: 'iii',
  sock_recv: 'iiiiii',
  sock_send: 'iiiii',
  sock_shutdown: 'ii',
};

/** Every descriptor is a bad one. */
export const UNAVAILABLE_FUNCTIONS: Readonly<Record<string, HostFunction<WasiContext>>> = Object.fromEntries(
  Object.entries(NO_FILES).map(([name, letters]) => {
    const params = Array.from(letters, (letter) => (letter === 'I' ? 'i64' : 'i32'));
    return [name, { type: { params, results: ['i32'] }, call: () => ERRNO.badf }];
  }),
);
