//! Detection of a file's encoding: by its byte order mark, by the zero bytes of UTF-16, and otherwise by the first
//! bytes that are not ASCII.

use super::TextEncoding;
use crate::{Error, Result};
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};

/// Another encoding than the supported ones is believed from this many bytes that are not ASCII. Fewer are read as
/// windows-1252.
const MIN_EVIDENCE: usize = 30;

/// Encodings of Latin letters that `chardetng` may prefer to windows-1252 on little evidence.
const LATIN: [&str; 8] = [
    "windows-1252",
    "windows-1250",
    "windows-1254",
    "windows-1257",
    "windows-1258",
    "ISO-8859-2",
    "ISO-8859-4",
    "ISO-8859-13",
];

/// Returns the encoding that the byte order mark names, and the length of the mark.
pub fn byte_order_mark(head: &[u8]) -> Option<(TextEncoding, usize)> {
    match head {
        [0xEF, 0xBB, 0xBF, ..] => Some((TextEncoding::Utf8, 3)),
        [0xFF, 0xFE, ..] => Some((TextEncoding::Utf16Le, 2)),
        [0xFE, 0xFF, ..] => Some((TextEncoding::Utf16Be, 2)),
        _ => None,
    }
}

/// Returns whether the head begins with the byte order mark of UTF-32.
pub fn is_utf32(head: &[u8]) -> bool {
    head.starts_with(&[0xFF, 0xFE, 0, 0]) || head.starts_with(&[0, 0, 0xFE, 0xFF])
}

/// Returns the kind of UTF-16 that the head is in, if it has no byte order mark but the zero bytes of UTF-16.
///
/// ASCII characters (blanks, commas, line ends) have a zero byte at one side of each pair. Other pairs may be anything
/// but two ASCII letters, which most pairs of an 8-bit file with a stray zero byte are.
pub fn utf16_without_mark(head: &[u8]) -> Option<TextEncoding> {
    let is_text = |byte: u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~');
    let (mut little, mut big, mut ascii) = (0usize, 0usize, 0usize);
    for pair in head.chunks_exact(2) {
        match (pair[0], pair[1]) {
            (byte, 0) if is_text(byte) => little += 1,
            (0, byte) if is_text(byte) => big += 1,
            (first, second) if is_text(first) && is_text(second) => ascii += 1,
            _ => {}
        }
    }
    let pairs = head.len() / 2;
    let (encoding, most, least) = if little > big {
        (TextEncoding::Utf16Le, little, big)
    } else {
        (TextEncoding::Utf16Be, big, little)
    };
    let enough = most >= 2 && most * 20 >= pairs && most > 4 * least && most > ascii;
    enough.then_some(encoding)
}

/// Returns the 8-bit encoding of `window`, which begins at the first byte that is not ASCII. `whole`: the file ends
/// with it.
///
/// # Errors
/// [`Error::Dataset`] if the bytes are in an encoding that is not supported.
pub fn eight_bit_encoding(name: &str, window: &[u8], whole: bool) -> Result<TextEncoding> {
    let (valid, invalid) = count_utf8(window, whole);
    if invalid == 0 || valid >= 4 * invalid {
        return Ok(TextEncoding::Utf8);
    }
    if is_korean(window, whole) {
        return Ok(TextEncoding::Cp949);
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(window, whole);
    let guess = detector.guess(None, Utf8Detection::Deny).name();
    let evidence = window.iter().filter(|byte| !byte.is_ascii()).count();
    match guess {
        "EUC-KR" => Ok(TextEncoding::Cp949),
        _ if LATIN.contains(&guess) || evidence < MIN_EVIDENCE => Ok(TextEncoding::Windows1252),
        _ => Err(Error::Dataset(format!(
            "the encoding of {name} seems to be {guess}. UTF-8, UTF-16, CP949 (EUC-KR) and windows-1252 can be read: \
             save the file as UTF-8, or choose its encoding."
        ))),
    }
}

/// Returns the numbers of valid sequences of several bytes and of invalid sequences in UTF-8. A sequence that the end
/// of the window cuts is neither.
fn count_utf8(mut window: &[u8], whole: bool) -> (usize, usize) {
    let count = |text: &str| text.chars().filter(|letter| !letter.is_ascii()).count();
    let (mut valid, mut invalid) = (0, 0);
    loop {
        match std::str::from_utf8(window) {
            Ok(text) => return (valid + count(text), invalid),
            Err(error) => {
                let (good, rest) = window.split_at(error.valid_up_to());
                valid += std::str::from_utf8(good).map_or(0, count);
                match error.error_len() {
                    Some(length) => {
                        invalid += 1;
                        window = &rest[length..];
                    }
                    None => return (valid, invalid + usize::from(whole)),
                }
            }
        }
    }
}

/// Returns whether the window is valid CP949 and most of its pairs are syllables of KS X 1001, the common ones.
/// Capital letters of windows-1252 before ASCII letters are rare syllables in CP949.
fn is_korean(window: &[u8], whole: bool) -> bool {
    let mut decoder = encoding_rs::EUC_KR.new_decoder_without_bom_handling();
    let mut text = String::with_capacity(
        decoder
            .max_utf8_buffer_length(window.len())
            .unwrap_or(window.len() * 3),
    );
    let (_, _, malformed) = decoder.decode_to_string(window, &mut text, whole);
    if malformed {
        return false;
    }
    let (mut common, mut pairs) = (0usize, 0usize);
    let mut at = 0;
    while at + 1 < window.len() {
        if window[at].is_ascii() {
            at += 1;
            continue;
        }
        pairs += 1;
        common += usize::from(matches!(window[at], 0xB0..=0xC8) && window[at + 1] >= 0xA1);
        at += 2;
    }
    common * 2 > pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> TextEncoding {
        let start = bytes.iter().position(|byte| !byte.is_ascii()).unwrap();
        eight_bit_encoding("x.csv", &bytes[start..], true).unwrap()
    }

    fn encode(encoding: &'static encoding_rs::Encoding, text: &str) -> Vec<u8> {
        encoding.encode(text).0.into_owned()
    }

    #[test]
    fn tells_the_8_bit_encodings_apart() {
        for text in [
            "환불했습니다 뷁",
            "좋아요",
            "text,label\n별로,부정",
            "가격 5,000원 ★",
        ] {
            assert_eq!(of(text.as_bytes()), TextEncoding::Utf8);
            assert_eq!(
                of(&encode(encoding_rs::EUC_KR, text)),
                TextEncoding::Cp949,
                "{text}"
            );
        }
        for text in [
            "Änderung nötig",
            "für 12,50 € zu schwach",
            "„Nie wieder“ – Gerät nach März kaputt",
            "It’s fine",
            "caf\u{e9}",
            "très déçu, à éviter",
            "Ä",
            "¿Qué tal? ¡Año nuevo!",
            "ÄÖÜ",
        ] {
            assert_eq!(of(text.as_bytes()), TextEncoding::Utf8);
            let bytes = encode(encoding_rs::WINDOWS_1252, text);
            assert_eq!(of(&bytes), TextEncoding::Windows1252, "{text}");
        }
    }

    #[test]
    fn one_damaged_sequence_leaves_utf8() {
        let mut bytes = "좋아요 정말 좋아요".as_bytes().to_vec();
        bytes.remove(1);
        assert_eq!(of(&bytes), TextEncoding::Utf8);
    }

    #[test]
    fn a_cut_sequence_at_the_end_of_the_window_is_no_error() {
        let bytes = &"좋아요".as_bytes()[..7];
        assert_eq!(
            eight_bit_encoding("x", bytes, false),
            Ok(TextEncoding::Utf8)
        );
    }

    #[test]
    fn another_encoding_is_named() {
        let text =
            "これは日本語の文章です。とても良い商品でした。また買いたいと思います。".repeat(3);
        let bytes = encode(encoding_rs::SHIFT_JIS, &text);
        let message = eight_bit_encoding("x.csv", &bytes, true)
            .unwrap_err()
            .to_string();
        assert!(message.contains("Shift_JIS"), "{message}");
    }

    #[test]
    fn utf16_is_known_by_its_zero_bytes() {
        let text = "text,label\n배송이 빠르고,긍정\n";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(utf16_without_mark(&little), Some(TextEncoding::Utf16Le));
        assert_eq!(utf16_without_mark(&big), Some(TextEncoding::Utf16Be));
        assert_eq!(utf16_without_mark(text.as_bytes()), None);
        assert_eq!(utf16_without_mark(b"text,label\na\0b,x\n"), None);
        assert_eq!(utf16_without_mark(b""), None);
    }
}
