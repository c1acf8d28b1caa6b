//! Shingles of a text, their MinHash sketch, and the candidates that locality-sensitive hashing finds by it.
//!
//! The sketch is the fast similarity sketch of Dahlgaard, Knudsen and Thorup (2017): it estimates the Jaccard
//! similarity as that many independent MinHash values do, but hashes each shingle only a few times.

use super::normalize::is_syllabic;

/// Values of a band. Two texts are candidates if all values of a band agree.
const VALUES: usize = 8;

/// Bands of a sketch: a pair of similarity 0.8 agrees in one of them with a probability of 98.8 %, a pair of
/// similarity 0.9 always (1 - 1e-6), a pair of similarity 0.5 with 9 %.
pub(super) const BANDS: usize = 24;

/// Values of a sketch.
const SKETCH: usize = BANDS * VALUES;

/// Values of two sketches that may differ at most for the shingles to be compared: four standard deviations more than
/// the 20 % of a pair of similarity 0.8.
const MAX_DIFFERENT: usize = SKETCH * 32 / 100;

/// The distinct shingles of a normalized text as ascending hashes.
#[derive(Debug, PartialEq)]
pub(super) struct Shingles(Vec<u32>);

impl Shingles {
    /// The shingles of `text`: four consecutive characters, or two if half of the characters are Hangul, Han or Kana.
    /// `None` for a text that is too short to resemble another.
    pub(super) fn new(text: &str, min_chars: usize) -> Option<Self> {
        let (length, min_chars) = match is_syllabic(text) {
            true => (2, min_chars / 2),
            false => (4, min_chars),
        };
        let chars: Vec<char> = text.chars().collect();
        if chars.len() < min_chars {
            return None;
        }
        let hashes = chars.windows(length).map(|shingle| {
            let hash = shingle.iter().fold(length as u64, |hash, &char| {
                (hash ^ char as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
            });
            mix(hash) as u32
        });
        let mut hashes: Vec<u32> = hashes.collect();
        hashes.sort_unstable();
        hashes.dedup();
        Some(Self(hashes))
    }

    /// The Jaccard similarity: common shingles / all shingles of both.
    pub(super) fn similarity(&self, other: &Self) -> f64 {
        let (mut a, mut b) = (self.0.as_slice(), other.0.as_slice());
        let mut common = 0;
        while let ([first, ..], [other, ..]) = (a, b) {
            common += usize::from(first == other);
            let (next_a, next_b) = (first <= other, other <= first);
            a = &a[usize::from(next_a)..];
            b = &b[usize::from(next_b)..];
        }
        common as f64 / (self.0.len() + other.0.len() - common).max(1) as f64
    }

    fn sketch(&self) -> [u32; SKETCH] {
        let mut sketch = [u32::MAX; SKETCH];
        let mut missing = SKETCH;
        // Each round fills the bins that its hashes hit; the rounds of the second half fill one bin each, so that no
        // bin stays empty. The number of the round is above the hash, so that earlier rounds win.
        for round in 0..2 * SKETCH as u64 {
            for &shingle in &self.0 {
                let hash = mix(u64::from(shingle) << 32 | round);
                let bin = match (round as usize).checked_sub(SKETCH) {
                    Some(bin) => bin,
                    None => (((hash >> 32) * SKETCH as u64) >> 32) as usize,
                };
                let value = (round as u32) << 22 | (hash as u32 & 0x3f_ffff);
                missing -= usize::from(sketch[bin] == u32::MAX);
                sketch[bin] = sketch[bin].min(value);
            }
            if missing == 0 {
                break;
            }
        }
        sketch
    }
}

/// The finalizer of SplitMix64.
fn mix(value: u64) -> u64 {
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}

/// The sketches of texts, reduced to what the search needs: 288 bytes a text.
#[derive(Debug, Default)]
pub(super) struct Sketches {
    /// A hash of each band.
    bands: Vec<[u32; BANDS]>,
    /// The low byte of each value, which differs in 255 of 256 cases if the values do.
    values: Vec<[u8; SKETCH]>,
}

impl Sketches {
    /// Adds the sketch of a text.
    pub(super) fn push(&mut self, shingles: &Shingles) {
        let sketch = shingles.sketch();
        let mut bands = [0; BANDS];
        for (band, values) in bands.iter_mut().zip(sketch.chunks_exact(VALUES)) {
            let hash = |hash: u64, &value: &u32| mix(hash ^ u64::from(value));
            *band = values.iter().fold(0, hash) as u32;
        }
        self.bands.push(bands);
        self.values.push(sketch.map(|value| value as u8));
    }

    /// The texts in the order of their hashes of `band`, so that candidates are neighbors.
    pub(super) fn sorted(&self, band: usize) -> Vec<(u32, u32)> {
        let texts = self.bands.iter().enumerate();
        let mut sorted: Vec<(u32, u32)> = texts
            .map(|(text, bands)| (bands[band], text as u32))
            .collect();
        sorted.sort_unstable();
        sorted
    }

    /// Whether the sketches of two texts agree so far that their shingles should be compared.
    pub(super) fn may_be_similar(&self, a: u32, b: u32) -> bool {
        let (a, b) = (&self.values[a as usize], &self.values[b as usize]);
        let mut different = 0;
        // In pieces, so that a pair that differs ends early.
        for (a, b) in a.chunks_exact(32).zip(b.chunks_exact(32)) {
            different += a.iter().zip(b).filter(|(a, b)| a != b).count();
            if different > MAX_DIFFERENT {
                return false;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shingles of which a share is equal, for a known similarity.
    fn pair(common: u32, own: u32, seed: u32) -> [Shingles; 2] {
        let hash = |at: u32| mix(u64::from(seed) << 32 | u64::from(at)) as u32;
        [0, own].map(|shift| {
            let own = common + shift..common + shift + own;
            let mut hashes: Vec<u32> = (0..common).chain(own).map(hash).collect();
            hashes.sort_unstable();
            Shingles(hashes)
        })
    }

    #[test]
    fn similarity_is_that_of_the_sets() {
        let [a, b] = pair(80, 10, 1);
        assert_eq!(a.similarity(&b), 0.8);
        assert_eq!(a.similarity(&a), 1.0);
        let [a, b] = pair(0, 10, 1);
        assert_eq!(a.similarity(&b), 0.0);
    }

    #[test]
    fn shingles_are_longer_for_letters_than_for_syllables() {
        let shingles = |text, min| Shingles::new(text, min).map(|shingles| shingles.0.len());
        assert_eq!(shingles("abcdef", 1), Some(3));
        assert_eq!(shingles("정말 좋아요", 1), Some(5));
        assert_eq!(shingles("abcdef", 8), None);
        assert_eq!(shingles("정말 좋아요", 8), Some(5));
        assert_eq!(shingles("aaaaaaaa", 8), Some(1));
    }

    #[test]
    fn sketches_estimate_the_similarity() {
        for (common, own) in [(80, 10), (16, 2), (20, 20), (800, 100)] {
            let expected = f64::from(common) / f64::from(common + 2 * own);
            let mut equal = 0;
            for seed in 0..50 {
                let [a, b] = pair(common, own, seed).map(|shingles| shingles.sketch());
                equal += a.iter().zip(&b).filter(|(a, b)| a == b).count();
            }
            let estimate = equal as f64 / (50 * SKETCH) as f64;
            assert!((estimate - expected).abs() < 0.03, "{estimate}, {expected}");
        }
    }

    #[test]
    fn bands_find_similar_pairs_and_few_others() {
        let found = |common, own| {
            let candidates = (0..500).filter(|&seed| {
                let mut sketches = Sketches::default();
                pair(common, own, seed)
                    .iter()
                    .for_each(|text| sketches.push(text));
                let [a, b] = [sketches.bands[0], sketches.bands[1]];
                a.iter().zip(&b).any(|(a, b)| a == b) && sketches.may_be_similar(0, 1)
            });
            candidates.count()
        };
        assert!(found(80, 10) > 480, "{} of 500 pairs of 0.8", found(80, 10));
        assert!(found(90, 5) > 498, "{} of 500 pairs of 0.9", found(90, 5));
        assert!(found(40, 20) < 10, "{} of 500 pairs of 0.5", found(40, 20));
    }
}
