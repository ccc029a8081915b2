//! Image references: their full form, and whether a prefix approves one.

use crate::text::Text;
use alloc::borrow::Cow;
use alloc::vec::Vec;

/// An approved registry, or a path below one: `registry.k8s.io`, `docker.io/library`, `ghcr.io/acme/tools`.
pub struct Prefix<'a> {
    /// As written, for messages.
    pub text: Text<'a>,
    pub decoded: Cow<'a, [u8]>,
}

impl Prefix<'_> {
    /// It starts with a registry host and holds nothing that an image name cannot hold.
    pub fn is_usable(&self) -> bool {
        let bytes = self.bytes();
        is_host(first_component(bytes)) && is_well_formed(bytes) && !bytes.contains(&b'@')
    }

    /// Whole path components only: `docker.io/stellar` approves `docker.io/stellar/core`, not `docker.io/stellar-x/core`.
    /// A prefix with a path and no `/` at its end also approves that repository itself, with any tag or digest.
    pub fn approves(&self, image: &[u8]) -> bool {
        let Some(rest) = image.strip_prefix(self.bytes()) else {
            return false;
        };
        match rest.first() {
            Some(b'/') => true,
            Some(b':' | b'@') | None => self.bytes().contains(&b'/') && !self.decoded.ends_with(b"/"),
            _ => false,
        }
    }

    fn bytes(&self) -> &[u8] {
        self.decoded.strip_suffix(b"/").unwrap_or(&self.decoded)
    }
}

/// The full form that container runtimes use: `nginx` is `docker.io/library/nginx`, `acme/web` is `docker.io/acme/web`.
pub fn normalise(image: &[u8]) -> Vec<u8> {
    let first = first_component(image);
    let has_host = first.len() < image.len() && is_host(first);
    let (host, path) = if has_host { (first, &image[first.len() + 1..]) } else { (&b"docker.io"[..], image) };
    let host = if host == b"index.docker.io" { b"docker.io" } else { host };
    let mut full = Vec::with_capacity(host.len() + path.len() + 9);
    full.extend_from_slice(host);
    full.push(b'/');
    if host == b"docker.io" && !path.contains(&b'/') {
        full.extend_from_slice(b"library/");
    }
    full.extend_from_slice(path);
    full
}

/// Nothing that could make two programs read the name differently.
pub fn is_well_formed(image: &[u8]) -> bool {
    image.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._:/@-".contains(byte))
        && !image.starts_with(b"/")
        && !image.windows(2).any(|pair| pair == b"//" || pair == b"..")
}

fn first_component(image: &[u8]) -> &[u8] {
    image.split(|byte| *byte == b'/').next().unwrap_or(image)
}

/// The rule of container runtimes for telling `ghcr.io/a` from `library/a`.
fn is_host(component: &[u8]) -> bool {
    component == b"localhost"
        || component.iter().any(|byte| matches!(byte, b'.' | b':') || byte.is_ascii_uppercase())
}
