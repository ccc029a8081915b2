//! The imports of the plugin ABI.

use crate::Verdict;
use alloc::vec::Vec;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    safe fn get_input_len() -> i32;
    fn read_input(pointer: *mut u8, length: i32) -> i32;
    fn write_output(pointer: *const u8, length: i32) -> i32;
}

/// The whole input; empty when the host gives less than it announced.
pub fn input() -> Vec<u8> {
    let length = get_input_len();
    let mut input = Vec::with_capacity(length.max(0) as usize);
    // Safe: the host writes at most `length` bytes, and they become visible only when it wrote all of them.
    unsafe {
        if length > 0 && read_input(input.as_mut_ptr(), length) == length {
            input.set_len(length as usize);
        }
    }
    input
}

/// Hands the answer over; the return code of `validate`. An answer that the host does not take is no answer: 2.
pub fn finish(verdict: &Verdict) -> i32 {
    let written = unsafe { write_output(verdict.json.as_ptr(), verdict.json.len() as i32) };
    match (written, verdict.allowed) {
        (0, true) => 0,
        (0, false) => 1,
        _ => 2,
    }
}
