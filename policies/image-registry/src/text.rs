//! A string of the input in its JSON spelling, between the quotes. It can be written into an answer as it is.

use alloc::borrow::Cow;
use alloc::vec::Vec;

#[derive(Clone, Copy)]
pub struct Text<'a> {
    /// Checked by the reader: every escape is complete.
    raw: &'a [u8],
    escaped: bool,
}

impl<'a> Text<'a> {
    pub fn new(raw: &'a [u8], escaped: bool) -> Self {
        Text { raw, escaped }
    }

    /// Inside of a JSON string literal.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    pub fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    /// What the string means, in UTF-8.
    pub fn decode(&self) -> Cow<'a, [u8]> {
        if self.escaped { Cow::Owned(unescape(self.raw)) } else { Cow::Borrowed(self.raw) }
    }

    pub fn is(&self, other: &str) -> bool {
        if self.escaped { unescape(self.raw) == other.as_bytes() } else { self.raw == other.as_bytes() }
    }
}

#[cold]
#[inline(never)]
fn unescape(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'\\' {
            out.push(*first);
            continue;
        }
        let [kind, after @ ..] = rest else { break };
        rest = after;
        match kind {
            b'b' => out.push(8),
            b't' => out.push(9),
            b'n' => out.push(10),
            b'f' => out.push(12),
            b'r' => out.push(13),
            b'u' => {
                let mut code = hex4(rest);
                rest = rest.get(4..).unwrap_or_default();
                if (0xD800..0xDC00).contains(&code) && rest.starts_with(b"\\u") {
                    let low = hex4(&rest[2..]);
                    if (0xDC00..0xE000).contains(&low) {
                        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
                        rest = rest.get(6..).unwrap_or_default();
                    }
                }
                // Half a surrogate pair is no character.
                let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            other => out.push(*other),
        }
    }
    out
}

fn hex4(digits: &[u8]) -> u32 {
    digits.iter().take(4).fold(0, |code, digit| (code << 4) | (*digit as char).to_digit(16).unwrap_or(0))
}
