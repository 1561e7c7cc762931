//! With which bytes a frame can begin, found by trying all of them.

use crate::frame::{Frame, Nothing, Outcome};

/// A set of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Starts([u64; 4]);

impl Starts {
    pub fn of(frame: &Frame) -> Starts {
        let mut starts = Starts([0; 4]);
        for byte in 0..=u8::MAX {
            if !matches!(frame.recognise(&[byte], false, &Nothing), Outcome::Wrong(_)) {
                starts.0[usize::from(byte / 64)] |= 1 << (byte % 64);
            }
        }
        // A frame that needs a name to be read at all says nothing of its first byte.
        if starts.len() == 0 { Starts([u64::MAX; 4]) } else { starts }
    }

    pub fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte / 64)] >> (byte % 64) & 1 == 1
    }

    pub fn len(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }
}
