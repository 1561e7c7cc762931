//! Raw binary: bytes without an address.

use bytes::Bytes;

use super::segment::Segment;

/// The whole file at address 0; whoever knows better moves it.
pub fn parts(bytes: Bytes) -> Vec<Segment> {
    vec![Segment { at: 0, bytes }]
}
