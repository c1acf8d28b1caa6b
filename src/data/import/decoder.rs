//! Decodes a file piece by piece. As long as all bytes are ASCII, the encoding stays open; it is detected at the first
//! byte that is not.

use super::encoding::eight_bit_encoding;
use super::{ENCODING_WINDOW_BYTES, TextEncoding};
use crate::Result;
use encoding_rs::{Decoder, DecoderResult, Encoding};

/// A decoder of one file.
pub struct TextDecoder {
    name: String,
    encoding: Option<TextEncoding>,
    decoder: Option<Decoder>,
    /// Bytes from the first one that is not ASCII, until the encoding is detected.
    window: Vec<u8>,
    /// The number of malformed sequences, each decoded as U+FFFD.
    pub num_malformed: usize,
}

fn codec(encoding: TextEncoding) -> &'static Encoding {
    match encoding {
        TextEncoding::Utf8 => encoding_rs::UTF_8,
        TextEncoding::Utf16Le => encoding_rs::UTF_16LE,
        TextEncoding::Utf16Be => encoding_rs::UTF_16BE,
        TextEncoding::Cp949 => encoding_rs::EUC_KR,
        TextEncoding::Windows1252 => encoding_rs::WINDOWS_1252,
    }
}

impl TextDecoder {
    /// Creates a decoder. `None`: one of the encodings that extend ASCII, detected. `name` is for errors.
    pub fn new(name: &str, encoding: Option<TextEncoding>) -> Self {
        TextDecoder {
            name: name.into(),
            encoding,
            decoder: encoding.map(|encoding| codec(encoding).new_decoder_without_bom_handling()),
            window: Vec::new(),
            num_malformed: 0,
        }
    }

    /// Returns the encoding. A file of ASCII is UTF-8.
    pub fn encoding(&self) -> TextEncoding {
        self.encoding.unwrap_or(TextEncoding::Utf8)
    }

    /// Appends the text of `bytes` to `text`. `last`: the file ends with them.
    ///
    /// # Errors
    /// [`crate::Error::Dataset`] if the encoding is not supported.
    pub fn decode(&mut self, bytes: &[u8], last: bool, text: &mut String) -> Result<()> {
        if self.decoder.is_some() {
            self.run(bytes, last, text);
            return Ok(());
        }
        let mut rest = bytes;
        if self.window.is_empty() {
            let length = Encoding::ascii_valid_up_to(bytes);
            let (ascii, other) = bytes.split_at(length);
            text.push_str(std::str::from_utf8(ascii).unwrap_or_default());
            rest = other;
        }
        // The window has the same bytes however the file is cut into pieces.
        let free = ENCODING_WINDOW_BYTES - self.window.len();
        let (inside, outside) = rest.split_at(free.min(rest.len()));
        self.window.extend_from_slice(inside);
        let full = self.window.len() == ENCODING_WINDOW_BYTES;
        if self.window.is_empty() || !(full || last) {
            return Ok(());
        }
        let window = std::mem::take(&mut self.window);
        let whole = last && outside.is_empty();
        let encoding = eight_bit_encoding(&self.name, &window, whole)?;
        self.encoding = Some(encoding);
        self.decoder = Some(codec(encoding).new_decoder_without_bom_handling());
        self.run(&window, whole, text);
        if !outside.is_empty() {
            self.run(outside, last, text);
        }
        Ok(())
    }

    fn run(&mut self, mut bytes: &[u8], last: bool, text: &mut String) {
        let Some(decoder) = &mut self.decoder else {
            return;
        };
        loop {
            let capacity = decoder.max_utf8_buffer_length_without_replacement(bytes.len());
            text.reserve(capacity.unwrap_or(3 * bytes.len()) + 4);
            let (result, read) = decoder.decode_to_string_without_replacement(bytes, text, last);
            bytes = &bytes[read..];
            match result {
                DecoderResult::InputEmpty => return,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => {
                    text.push('\u{FFFD}');
                    self.num_malformed += 1;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8], piece: usize) -> (String, TextEncoding, usize) {
        let mut decoder = TextDecoder::new("x.csv", None);
        let mut text = String::new();
        for piece in bytes.chunks(piece) {
            decoder.decode(piece, false, &mut text).unwrap();
        }
        decoder.decode(&[], true, &mut text).unwrap();
        (text, decoder.encoding(), decoder.num_malformed)
    }

    #[test]
    fn the_encoding_is_detected_behind_a_long_ascii_head() {
        let ascii = "plain text,label\n".repeat(100_000);
        for (codec, encoding, word) in [
            (
                encoding_rs::EUC_KR,
                TextEncoding::Cp949,
                "배송이 빠르고 포장이",
            ),
            (
                encoding_rs::WINDOWS_1252,
                TextEncoding::Windows1252,
                "Größe",
            ),
            (encoding_rs::UTF_8, TextEncoding::Utf8, "Größe 배송"),
        ] {
            let expected = format!("{ascii}{word}\n{ascii}");
            let bytes = codec.encode(&expected).0;
            for piece in [7, 64 << 10] {
                let (text, found, malformed) = decode(&bytes, piece);
                assert_eq!((found, malformed), (encoding, 0));
                assert!(text == expected);
            }
        }
    }

    #[test]
    fn damage_is_counted_and_marked() {
        let mut bytes = "좋아요 정말 좋아요".as_bytes().to_vec();
        bytes.insert(9, 0xFF);
        for piece in [1, 7, 100] {
            let (text, encoding, malformed) = decode(&bytes, piece);
            assert_eq!(text, "좋아요\u{FFFD} 정말 좋아요");
            assert_eq!((encoding, malformed), (TextEncoding::Utf8, 1));
        }
    }
}
