//! Data that are heard piece by piece: a chain that threads share, so that a round costs what it adds and no more.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

/// More than this is not kept: what was gathered is then unknown.
const MOST: usize = 64 << 20;

/// Pieces in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Gathered {
    tail: Option<Arc<Link>>,
    len: usize,
}

#[derive(Debug)]
struct Link {
    before: Option<Arc<Link>>,
    piece: Bytes,
}

impl Gathered {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn push(&mut self, piece: Bytes) {
        if piece.is_empty() || self.len.saturating_add(piece.len()) > MOST {
            return;
        }
        self.len += piece.len();
        self.tail = Some(Arc::new(Link { before: self.tail.take(), piece }));
    }

    /// Cuts or fills with 00, so that the next piece begins at `len`.
    pub fn resize(&mut self, len: usize) {
        if len == self.len || len > MOST {
            return;
        }
        let mut bytes = BytesMut::from(&self.bytes()[..]);
        bytes.resize(len, 0);
        *self = Gathered::default();
        self.push(bytes.freeze());
    }

    pub fn bytes(&self) -> Bytes {
        let mut pieces = Vec::new();
        let mut link = self.tail.as_ref();
        while let Some(Link { before, piece }) = link.map(|link| &**link) {
            pieces.push(piece);
            link = before.as_ref();
        }
        match pieces[..] {
            [] => Bytes::new(),
            [only] => only.clone(),
            _ => {
                let mut bytes = BytesMut::with_capacity(self.len);
                pieces.iter().rev().for_each(|piece| bytes.extend_from_slice(piece));
                bytes.freeze()
            }
        }
    }
}

/// The same place in the data is enough: threads that were there on different ways go on alike.
impl PartialEq for Gathered {
    fn eq(&self, other: &Gathered) -> bool {
        self.len == other.len
    }
}

impl Drop for Link {
    /// One link after the other: a long chain must not go down the stack.
    fn drop(&mut self) {
        let mut next = self.before.take();
        while let Some(link) = next {
            next = Arc::try_unwrap(link).ok().and_then(|mut link| link.before.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_a_million_pieces_is_dropped_without_recursion() {
        let mut gathered = Gathered::default();
        for _ in 0..1_000_000 {
            gathered.push(Bytes::from_static(b"x"));
        }
        assert_eq!(gathered.bytes().len(), 1_000_000);
    }

    #[test]
    fn a_place_that_was_told_cuts_or_fills() {
        let mut gathered = Gathered::default();
        gathered.push(Bytes::from_static(b"abc"));
        gathered.push(Bytes::from_static(b"def"));
        gathered.resize(4);
        assert_eq!(&gathered.bytes()[..], b"abcd");
        gathered.resize(6);
        assert_eq!(&gathered.bytes()[..], b"abcd\0\0");
    }
}
