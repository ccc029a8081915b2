//! The JSON of an answer. Texts of the user are written in the spelling in which they came.

use crate::collect::Field;
use crate::image::Prefix;
use crate::text::Text;
use alloc::vec::Vec;

pub struct Writer {
    json: Vec<u8>,
}

impl Writer {
    pub fn new() -> Self {
        Writer { json: Vec::with_capacity(1024) }
    }

    pub fn finish(self) -> Vec<u8> {
        self.json
    }

    /// Text of ours; it needs no escapes.
    #[inline(never)]
    pub fn put(&mut self, text: &str) -> &mut Self {
        self.json.extend_from_slice(text.as_bytes());
        self
    }

    pub fn text(&mut self, text: Text) -> &mut Self {
        self.json.extend_from_slice(text.raw());
        self
    }

    pub fn number(&mut self, number: u32) -> &mut Self {
        if number >= 10 {
            self.number(number / 10);
        }
        self.json.push(b'0' + (number % 10) as u8);
        self
    }

    pub fn field(&mut self, field: Field) -> &mut Self {
        self.put(field.pod).put(".").put(field.list).put("[").number(field.index).put("].").put(field.leaf)
    }

    /// Items separated by `separator`.
    pub fn list<T>(
        &mut self,
        separator: &str,
        items: impl IntoIterator<Item = T>,
        mut put: impl FnMut(&mut Self, T),
    ) {
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.put(separator);
            }
            put(self, item);
        }
    }

    pub fn registries(&mut self, registries: &[Prefix]) -> &mut Self {
        self.put(" from an approved registry. Approved registries: ");
        self.list(", ", registries, |out, prefix| {
            out.text(prefix.text);
        });
        self
    }
}
