//! Admission policy of the plugin ABI: container images come from approved registries.
//!
//! One pass over the input collects what matters (`collect`), then the settings decide (`decide`). Nothing is copied out
//! of the input except what has to be compared; texts of the user go back into the answer in their JSON spelling.

#![no_std]

extern crate alloc;

mod allocator;
mod answer;
mod collect;
mod decide;
mod host;
mod image;
mod json;
mod settings;
mod text;

use alloc::vec::Vec;

/// Entry point of the ABI: 0 allowed, 1 denied. The answer itself goes through `write_output`.
#[unsafe(no_mangle)]
pub extern "C" fn validate() -> i32 {
    allocator::start_over();
    let input = host::input();
    let mut reader = json::Reader::new(&input);
    let verdict = match collect::collect(&mut reader) {
        Ok(facts) => decide::decide(&facts),
        Err(problem) => decide::unreadable(problem, reader.position()),
    };
    host::finish(&verdict)
}

/// A finished answer.
pub struct Verdict {
    pub allowed: bool,
    pub json: Vec<u8>,
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}
