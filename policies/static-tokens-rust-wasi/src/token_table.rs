use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    tokens: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// 64 lower-case hex digits.
    sha256: String,
    user: User,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    username: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uid: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    groups: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    extra: BTreeMap<String, Vec<String>>,
}

impl Settings {
    pub fn check(&self) -> Result<(), String> {
        for (index, entry) in self.tokens.iter().enumerate() {
            if entry.sha256.len() != 64
                || !entry.sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            {
                return Err(format!("setting `tokens[{index}].sha256` must be 64 lower-case hex digits"));
            }
            if entry.user.username.is_empty() {
                return Err(format!("setting `tokens[{index}].user.username` is empty"));
            }
        }
        Ok(())
    }

    /// All entries are compared, in the same time whatever the digest is: how far two of them agree tells nobody anything.
    pub fn find(&self, token: &str) -> Option<User> {
        let digest = hex(&Sha256::digest(token.as_bytes()));
        let mut found = None;
        for entry in &self.tokens {
            if is_equal(entry.sha256.as_bytes(), &digest) {
                found = found.or(Some(&entry.user));
            }
        }
        found.cloned()
    }
}

fn is_equal(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]).collect()
}
