//! A bump allocator: an evaluation is short, so memory is only ever taken, and all of it is free again at the next one.

use core::alloc::{GlobalAlloc, Layout};
use core::arch::wasm32::{memory_grow, memory_size};
use core::cell::Cell;
use core::ptr::null_mut;

const PAGE: usize = 65536;

struct Bump {
    next: Cell<usize>,
}

// Safe: a core Wasm module without shared memory has one thread.
unsafe impl Sync for Bump {}

#[global_allocator]
static BUMP: Bump = Bump { next: Cell::new(0) };

unsafe extern "C" {
    static __heap_base: u8;
}

/// Forgets everything that was allocated. Only for the entry point, before anything is alive.
pub fn start_over() {
    BUMP.next.set(&raw const __heap_base as usize);
}

impl Bump {
    /// Makes `end` the end of what is in use; false when the memory cannot grow that far.
    fn extend(&self, end: usize) -> bool {
        let available = memory_size(0) * PAGE;
        if end > available && memory_grow(0, (end - available).div_ceil(PAGE)) == usize::MAX {
            return false;
        }
        self.next.set(end);
        true
    }
}

unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let start = self.next.get().next_multiple_of(layout.align());
        match start.checked_add(layout.size()) {
            Some(end) if self.extend(end) => start as *mut u8,
            _ => null_mut(),
        }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}

    /// The last block grows where it is: a vector that is filled costs no copies.
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let start = pointer as usize;
        if start + layout.size() == self.next.get() {
            return match start.checked_add(size) {
                Some(end) if self.extend(end) => pointer,
                _ => null_mut(),
            };
        }
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !moved.is_null() {
                moved.copy_from_nonoverlapping(pointer, layout.size().min(size));
            }
            moved
        }
    }
}
