//! A strict JSON reader that goes over the input once. What nobody asks for is checked while it is passed over; nothing
//! recurses into the document, so its nesting cannot exhaust the stack. Between calls the reader stands on the first
//! byte of something, never on white space.

use crate::text::Text;

/// Deepest nesting below a value that is passed over.
const MAX_DEPTH: usize = 512;

/// What is wrong where the reader stands. One word, so that a `Reading<()>` travels in a register.
pub type Problem = &'static &'static str;

pub type Reading<T> = Result<T, Problem>;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Object,
    Array,
    String,
    Null,
    /// A number, true or false.
    Other,
}

pub struct Reader<'a> {
    input: &'a [u8],
    at: usize,
    has_other_than_ascii: bool,
    /// Of the string that was taken last.
    has_escape: bool,
}

impl<'a> Reader<'a> {
    pub fn new(input: &'a [u8]) -> Self {
        let mut reader = Reader { input, at: 0, has_other_than_ascii: false, has_escape: false };
        reader.space();
        reader
    }

    /// Byte of the input: after a problem, where it was found.
    pub fn position(&self) -> usize {
        self.at
    }

    /// What comes next, without taking it.
    pub fn kind(&self) -> Kind {
        match self.peek() {
            b'{' => Kind::Object,
            b'[' => Kind::Array,
            b'"' => Kind::String,
            b'n' => Kind::Null,
            _ => Kind::Other,
        }
    }

    /// Takes an object; `member` has to take the value of the key that it is given.
    pub fn object(&mut self, mut member: impl FnMut(&mut Self, Text<'a>) -> Reading<()>) -> Reading<()> {
        self.expect(b'{', &"expected an object")?;
        self.space();
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            let key = self.key()?;
            member(self, key)?;
            self.space();
            if self.take(b'}') {
                return Ok(());
            }
            self.expect(b',', &"expected `,` or `}`")?;
        }
    }

    /// Takes an array; `item` has to take the item whose index it is given.
    pub fn array(&mut self, mut item: impl FnMut(&mut Self, u32) -> Reading<()>) -> Reading<()> {
        self.expect(b'[', &"expected an array")?;
        self.space();
        if self.take(b']') {
            return Ok(());
        }
        let mut index = 0;
        loop {
            item(self, index)?;
            index += 1;
            self.space();
            if self.take(b']') {
                return Ok(());
            }
            self.expect(b',', &"expected `,` or `]`")?;
            self.space();
        }
    }

    #[inline(never)]
    pub fn string(&mut self) -> Reading<Text<'a>> {
        let start = self.at + 1;
        self.skip_string()?;
        Ok(Text::new(&self.input[start..self.at - 1], self.has_escape))
    }

    /// Takes any value, checking it.
    #[inline(never)]
    pub fn skip(&mut self) -> Reading<()> {
        // One bit per open container: 1 for an object.
        let mut open = [0u32; MAX_DEPTH / 32];
        let mut depth = 0;
        loop {
            match self.peek() {
                b'"' => self.skip_string()?,
                first @ (b'{' | b'[') => {
                    self.at += 1;
                    self.space();
                    let is_object = first == b'{';
                    if !self.take(if is_object { b'}' } else { b']' }) {
                        if depth == MAX_DEPTH {
                            return self.fail(&"nested too deeply");
                        }
                        let bit = 1 << (depth % 32);
                        if is_object {
                            open[depth / 32] |= bit;
                        } else {
                            open[depth / 32] &= !bit;
                        }
                        depth += 1;
                        if is_object {
                            self.skip_key()?;
                        }
                        continue;
                    }
                }
                b't' => self.literal(b"true")?,
                b'f' => self.literal(b"false")?,
                b'n' => self.literal(b"null")?,
                _ => self.number()?,
            }
            loop {
                if depth == 0 {
                    return Ok(());
                }
                let in_object = open[(depth - 1) / 32] & (1 << ((depth - 1) % 32)) != 0;
                self.space();
                if self.take(b',') {
                    self.space();
                    if in_object {
                        self.skip_key()?;
                    }
                    break;
                }
                if !self.take(if in_object { b'}' } else { b']' }) {
                    return self.fail(&"expected `,` or the end of the list");
                }
                depth -= 1;
            }
        }
    }

    /// Nothing may follow, and what was read has to be UTF-8.
    pub fn end(&mut self) -> Reading<()> {
        self.space();
        if self.at != self.input.len() {
            return self.fail(&"expected the end");
        }
        if self.has_other_than_ascii
            && let Err(error) = core::str::from_utf8(self.input)
        {
            self.at = error.valid_up_to();
            return self.fail(&"not UTF-8");
        }
        Ok(())
    }

    pub fn fail<T>(&self, what: Problem) -> Reading<T> {
        Err(what)
    }

    fn key(&mut self) -> Reading<Text<'a>> {
        self.space();
        let key = self.string()?;
        self.colon()?;
        Ok(key)
    }

    #[inline(always)]
    fn skip_key(&mut self) -> Reading<()> {
        self.space();
        self.skip_string()?;
        self.colon()
    }

    fn colon(&mut self) -> Reading<()> {
        self.space();
        self.expect(b':', &"expected `:`")?;
        self.space();
        Ok(())
    }

    /// Takes a string; `has_escape` tells whether it means something else than it shows.
    #[inline(always)]
    fn skip_string(&mut self) -> Reading<()> {
        self.expect(b'"', &"expected a string")?;
        self.has_escape = false;
        loop {
            self.plain_characters();
            match self.peek() {
                b'"' => {
                    self.at += 1;
                    return Ok(());
                }
                b'\\' => {
                    self.has_escape = true;
                    self.escape()?;
                }
                0x80.. => {
                    self.has_other_than_ascii = true;
                    self.at += 1;
                }
                0x20.. => self.at += 1,
                _ if self.at == self.input.len() => return self.fail(&"unfinished string"),
                _ => return self.fail(&"control character in a string"),
            }
        }
    }

    /// The next byte; 0 at the end, which no rule accepts.
    #[inline(always)]
    fn peek(&self) -> u8 {
        self.input.get(self.at).copied().unwrap_or(0)
    }

    #[inline(always)]
    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == byte;
        self.at += found as usize;
        found
    }

    #[inline(always)]
    fn expect(&mut self, byte: u8, what: Problem) -> Reading<()> {
        if self.take(byte) { Ok(()) } else { self.fail(what) }
    }

    #[inline(always)]
    fn space(&mut self) {
        while matches!(self.peek(), b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
    }

    /// Passes over ASCII that means itself, eight bytes at a time. May stop early.
    #[inline(always)]
    fn plain_characters(&mut self) {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const HIGH: u64 = ONES << 7;
        while let Some(bytes) = self.input.get(self.at..self.at + 8) {
            let word = u64::from_le_bytes(bytes.try_into().unwrap_or_default());
            let quote = word ^ (ONES * b'"' as u64);
            let backslash = word ^ (ONES * b'\\' as u64);
            // Bit 7 of a byte is set when it is zero (below 0x20 for the last), or when the byte itself is above 0x7f.
            let special = (quote.wrapping_sub(ONES) & !quote)
                | (backslash.wrapping_sub(ONES) & !backslash)
                | word.wrapping_sub(ONES * 0x20)
                | word;
            let found = special & HIGH;
            if found != 0 {
                self.at += (found.trailing_zeros() / 8) as usize;
                return;
            }
            self.at += 8;
        }
    }

    #[cold]
    fn escape(&mut self) -> Reading<()> {
        self.at += 1;
        match self.peek() {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {
                self.at += 1;
                Ok(())
            }
            b'u' => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.peek().is_ascii_hexdigit() {
                        return self.fail(&"expected four hexadecimal digits");
                    }
                    self.at += 1;
                }
                Ok(())
            }
            _ => self.fail(&"unknown escape"),
        }
    }

    fn literal(&mut self, word: &'static [u8]) -> Reading<()> {
        if !self.input[self.at..].starts_with(word) {
            return self.fail(&"expected a value");
        }
        self.at += word.len();
        Ok(())
    }

    #[inline(never)]
    fn number(&mut self) -> Reading<()> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits(&"expected a value")?;
        }
        if self.take(b'.') {
            self.digits(&"expected a digit")?;
        }
        if self.take(b'e') || self.take(b'E') {
            if !self.take(b'+') {
                self.take(b'-');
            }
            self.digits(&"expected a digit")?;
        }
        Ok(())
    }

    fn digits(&mut self, what: Problem) -> Reading<()> {
        if !self.peek().is_ascii_digit() {
            return self.fail(what);
        }
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        Ok(())
    }
}
