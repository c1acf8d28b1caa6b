//! SHA-256 of a file that arrives in pieces, and the check of a complete file.

use crate::{Error, Result};
use sha2::{Digest, Sha256};

/// The SHA-256 of a file of which more bytes arrive.
#[derive(Clone, Default)]
pub struct ContentHash(Sha256);

impl ContentHash {
    /// Takes the next bytes of the file.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash of all bytes so far, 64 lower-case hexadecimal digits.
    pub fn hex(&self) -> String {
        let digest = self.0.clone().finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The hash of a text, for names made of addresses.
pub(super) fn hash_of(text: &str) -> String {
    let mut hash = ContentHash::default();
    hash.update(text.as_bytes());
    hash.hex()
}

/// The SHA-256 in an etag or a listing: 64 hexadecimal digits, quoted or not. Anything else, such as Git's shorter hash
/// of a small file, is none.
pub fn sha256_of(text: &str) -> Option<String> {
    let bare = text.trim().trim_start_matches("W/").trim_matches('"');
    let is_hash = bare.len() == 64 && bare.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then(|| bare.to_ascii_lowercase())
}

/// Compares a complete file with the size and hash that its server states.
///
/// # Errors
/// [`Error::Download`] when the size or the hash differs.
pub fn check_content(
    file: &str,
    arrived: u64,
    hash: &ContentHash,
    size: Option<u64>,
    sha256: Option<&str>,
) -> Result<()> {
    let refuse = |problem: String| {
        Err(Error::Download {
            file: file.into(),
            problem,
        })
    };
    if let Some(size) = size
        && size != arrived
    {
        return refuse(format!(
            "{arrived} bytes have arrived, but the Hub says that it has {size}. \
             What arrived was thrown away; try again."
        ));
    }
    match sha256 {
        Some(expected) if expected != hash.hex() => refuse(format!(
            "its SHA-256 is {}, but the Hub says {expected}. \
             It was damaged or exchanged on its way and was thrown away; try again.",
            hash.hex()
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn hashing_in_pieces_equals_hashing_at_once() {
        let mut hash = ContentHash::default();
        hash.update(b"a");
        hash.update(b"bc");
        assert_eq!(hash.hex(), ABC);
        assert_eq!(hash_of("abc"), ABC);
        assert!(check_content("f", 3, &hash, Some(3), Some(ABC)).is_ok());
        assert!(check_content("f", 3, &hash, None, None).is_ok());
        let size = check_content("f", 3, &hash, Some(4), Some(ABC)).unwrap_err();
        assert!(size.to_string().contains("3 bytes"));
        let other = check_content("f", 3, &hash, Some(3), Some(&hash_of("x"))).unwrap_err();
        assert!(other.to_string().contains(ABC));
    }

    #[test]
    fn only_64_hexadecimal_digits_are_a_hash() {
        assert_eq!(sha256_of(&format!("\"{ABC}\"")).as_deref(), Some(ABC));
        assert_eq!(
            sha256_of(&ABC.to_uppercase()).as_deref(),
            Some(ABC),
            "upper case"
        );
        assert_eq!(
            sha256_of("\"7b2e21e16d8803ced5e632e2f654200194bd21fc\""),
            None
        );
        assert_eq!(sha256_of("W/\"1d-DMkJvg8tpLoaQbsiq9Mz7l2CJyI\""), None);
    }
}
