//! Bytes at addresses: merging what adjoins, finding gaps and overlaps.

use bytes::{Bytes, BytesMut};

/// Bytes that stand one after the other from an address on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    pub at: u64,
    pub bytes: Bytes,
}

impl Segment {
    /// One past the last address.
    pub fn end(&self) -> u64 {
        self.at + self.bytes.len() as u64
    }
}

/// A firmware image: segments in order of address that neither overlap nor adjoin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    segments: Vec<Segment>,
}

/// Two parts of a file claim the same address with different bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// The first address with two values, and those.
    pub at: u64,
    pub first: u8,
    pub second: u8,
}

impl Image {
    /// From parts in any order. Parts that overlap with equal bytes are one; with different bytes they are a mistake.
    pub fn from_parts(mut parts: Vec<Segment>) -> Result<Image, Overlap> {
        parts.retain(|part| !part.bytes.is_empty());
        parts.sort_by_key(|part| part.at);
        let mut segments: Vec<(u64, BytesMut)> = Vec::new();
        for part in parts {
            let joined = segments.last_mut().filter(|(at, bytes)| part.at <= at + bytes.len() as u64);
            let Some((at, bytes)) = joined else {
                segments.push((part.at, BytesMut::from(&part.bytes[..])));
                continue;
            };
            let from = (part.at - *at) as usize;
            let shared = (bytes.len() - from).min(part.bytes.len());
            let both = bytes[from..from + shared].iter().zip(&part.bytes[..shared]);
            if let Some(place) = both.clone().position(|(first, second)| first != second) {
                return Err(Overlap {
                    at: part.at + place as u64,
                    first: bytes[from + place],
                    second: part.bytes[place],
                });
            }
            bytes.extend_from_slice(&part.bytes[shared..]);
        }
        let segments = segments.into_iter().map(|(at, bytes)| Segment { at, bytes: bytes.freeze() });
        Ok(Image { segments: segments.collect() })
    }

    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Bytes in all segments.
    pub fn size(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes.len() as u64).sum()
    }

    /// The first address.
    pub fn start(&self) -> Option<u64> {
        self.segments.first().map(|segment| segment.at)
    }

    /// One past the last address.
    pub fn end(&self) -> Option<u64> {
        self.segments.last().map(Segment::end)
    }

    /// Addresses between segments: from, and one past the end.
    pub fn gaps(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.segments.windows(2).map(|pair| (pair[0].end(), pair[1].at))
    }

    /// The same image with its gaps filled, as one run of bytes. `None` when it would be longer than `most`.
    pub fn filled(&self, fill: u8, most: u64) -> Option<Segment> {
        let (start, end) = (self.start()?, self.end()?);
        if end - start > most {
            return None;
        }
        let mut bytes = BytesMut::zeroed((end - start) as usize);
        bytes.fill(fill);
        for segment in &self.segments {
            let from = (segment.at - start) as usize;
            bytes[from..from + segment.bytes.len()].copy_from_slice(&segment.bytes);
        }
        Some(Segment { at: start, bytes: bytes.freeze() })
    }

    /// The same bytes, each address moved on by `offset` (modulo 2^64).
    pub fn moved(&self, offset: u64) -> Image {
        let segments = self.segments.iter();
        Image {
            segments: segments
                .map(|segment| Segment { at: segment.at.wrapping_add(offset), bytes: segment.bytes.clone() })
                .collect(),
        }
    }

    /// The `n` bytes at `at`, if one segment holds them all.
    pub fn bytes_at(&self, at: u64, n: usize) -> Option<&[u8]> {
        let segment = self.segments.iter().find(|segment| segment.at <= at && at < segment.end())?;
        segment.bytes.get((at - segment.at) as usize..)?.get(..n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn part(at: u64, bytes: &[u8]) -> Segment {
        Segment { at, bytes: Bytes::copy_from_slice(bytes) }
    }

    #[test]
    fn parts_that_adjoin_become_one_segment_and_gaps_are_told() {
        let image = Image::from_parts(vec![part(0x20, b"cd"), part(0x10, b"ab"), part(0x12, b"xy")]).unwrap();
        assert_eq!(image.segments(), [part(0x10, b"abxy"), part(0x20, b"cd")]);
        assert_eq!(image.gaps().collect::<Vec<_>>(), [(0x14, 0x20)]);
        assert_eq!(image.bytes_at(0x13, 1), Some(&b"y"[..]));
        assert_eq!(image.bytes_at(0x13, 2), None);
        let filled = image.filled(0xFF, 100).unwrap();
        assert_eq!((filled.at, filled.bytes.len(), filled.bytes[4]), (0x10, 18, 0xFF));
        assert_eq!(image.filled(0xFF, 17), None);
    }

    #[test]
    fn an_overlap_is_a_mistake_only_where_the_bytes_differ() {
        assert!(Image::from_parts(vec![part(0, b"abc"), part(1, b"bcd")]).is_ok());
        let wrong = Image::from_parts(vec![part(0, b"abc"), part(1, b"bX")]).unwrap_err();
        assert_eq!(wrong, Overlap { at: 2, first: b'c', second: b'X' });
    }

    proptest! {
        #[test]
        fn every_byte_is_where_it_was_put(parts in prop::collection::vec((0u64..400, prop::collection::vec(any::<u8>(), 0..40)), 0..12)) {
            // Bytes as a function of their address never contradict each other.
            let of = |at: u64| (at as u8).wrapping_mul(37) ^ 0x5A;
            let parts: Vec<Segment> = parts
                .into_iter()
                .map(|(at, bytes)| Segment { at, bytes: (0..bytes.len() as u64).map(|i| of(at + i)).collect() })
                .collect();
            let image = Image::from_parts(parts.clone()).unwrap();
            for part in parts.iter().filter(|part| !part.bytes.is_empty()) {
                prop_assert_eq!(image.bytes_at(part.at, part.bytes.len()), Some(&part.bytes[..]));
            }
            prop_assert!(image.segments().windows(2).all(|pair| pair[0].end() < pair[1].at));
        }
    }
}
