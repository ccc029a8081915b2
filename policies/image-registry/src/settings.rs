//! The settings: `{registries: [<prefix>, …]}`. A mistake is kept, not repaired: the decision names it.

use crate::image::Prefix;
use crate::json::{Kind, Reader, Reading};
use crate::text::Text;
use alloc::borrow::Cow;
use alloc::vec::Vec;

/// In force without settings: the registries of the Stellar project.
const DEFAULT_REGISTRIES: [&str; 3] = ["docker.io/stellar/", "ghcr.io/stellar/", "gcr.io/stellar-project/"];

pub struct Settings<'a> {
    pub registries: Vec<Prefix<'a>>,
    pub mistake: Option<Mistake<'a>>,
}

pub enum Mistake<'a> {
    NotAnObject,
    Unknown(Text<'a>),
    Twice,
    RegistriesMissing,
    RegistriesNotAList,
    RegistriesEmpty,
    EntryNotAString(u32),
    EntryWithoutHost(u32, Text<'a>),
}

impl Default for Settings<'_> {
    fn default() -> Self {
        let registries = DEFAULT_REGISTRIES.map(|text| Prefix {
            text: Text::new(text.as_bytes(), false),
            decoded: Cow::Borrowed(text.as_bytes()),
        });
        Settings { registries: registries.into(), mistake: None }
    }
}

impl<'a> Settings<'a> {
    pub fn read(reader: &mut Reader<'a>) -> Reading<Self> {
        let mut settings = Settings { registries: Vec::new(), mistake: None };
        if reader.kind() != Kind::Object {
            reader.skip()?;
            settings.mistake = Some(Mistake::NotAnObject);
            return Ok(settings);
        }
        let mut is_given = false;
        reader.object(|reader, key| {
            if !key.is("registries") {
                settings.note(Mistake::Unknown(key));
                return reader.skip();
            }
            if is_given {
                settings.note(Mistake::Twice);
            }
            is_given = true;
            settings.registries(reader)
        })?;
        if !is_given {
            settings.note(Mistake::RegistriesMissing);
        }
        Ok(settings)
    }

    fn registries(&mut self, reader: &mut Reader<'a>) -> Reading<()> {
        if reader.kind() != Kind::Array {
            self.note(Mistake::RegistriesNotAList);
            return reader.skip();
        }
        reader.array(|reader, index| {
            if reader.kind() != Kind::String {
                self.note(Mistake::EntryNotAString(index));
                return reader.skip();
            }
            let text = reader.string()?;
            let prefix = Prefix { text, decoded: text.decode() };
            if !prefix.is_usable() {
                self.note(Mistake::EntryWithoutHost(index, text));
            }
            self.registries.push(prefix);
            Ok(())
        })?;
        if self.registries.is_empty() {
            self.note(Mistake::RegistriesEmpty);
        }
        Ok(())
    }

    /// The first mistake is told.
    fn note(&mut self, mistake: Mistake<'a>) {
        self.mistake.get_or_insert(mistake);
    }
}
