//! Bytes that were heard and are not understood yet, and how silence closes them.

use bytes::{BufMut, Bytes, BytesMut};

use crate::line::{Fault, Instant, Settings, Span};
use crate::protocol::Time;

/// What silence says of the bytes that wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Closing {
    /// More may come at any moment.
    No,
    /// The table's gap has passed: a frame that ends by silence is over. Adapters hold bytes back, so more may still come.
    Gap,
    /// Nothing more will come.
    Yes,
}

impl Closing {
    pub fn closed(self) -> bool {
        self != Closing::No
    }
}

/// Bytes of one side that wait.
#[derive(Clone, Debug)]
pub(super) struct Heap {
    bytes: BytesMut,
    at: Vec<Instant>,
    faults: Vec<(usize, Fault)>,
    /// So many bytes must be there before it is worth looking again.
    enough: usize,
    gap: Option<Time>,
    /// The settings for which the silences were last computed, and these: the table's gap, and what closes for good.
    paced: Option<(Settings, Option<Span>, Span)>,
    /// How much later than its byte a stamp can be: a silence that is no longer may be none.
    late: Span,
    /// What an adapter may hold back.
    patience: Span,
    /// The gap was looked at, and no frame ended there.
    gap_looked: bool,
}

/// Frames that are short share a piece of memory of so many bytes.
const ROOM: usize = 256;

/// Bytes taken from the front: the bytes, when the first and the last were in, their faults.
pub(super) type Taken = (Bytes, Instant, Instant, Vec<(usize, Fault)>);

impl Heap {
    pub fn new(gap: Option<Time>, patience: Span) -> Heap {
        Heap {
            bytes: BytesMut::new(),
            at: Vec::new(),
            faults: Vec::new(),
            enough: 0,
            gap,
            paced: None,
            late: Span::ZERO,
            patience,
            gap_looked: false,
        }
    }

    /// Bytes can be stamped so late: those of one frame come apart where they came together.
    pub fn stamped(&mut self, late: Span) {
        (self.late, self.paced) = (late, None);
    }

    fn gap(&self, settings: Settings) -> Option<Span> {
        self.gap.as_ref().map(|gap| gap.at(settings) + self.late)
    }

    pub fn push(&mut self, byte: u8, at: Instant, fault: Option<Fault>) {
        if let Some(fault) = fault {
            self.faults.push((self.bytes.len(), fault));
        }
        if self.bytes.len() == self.bytes.capacity() {
            self.bytes.reserve(ROOM);
        }
        self.bytes.put_u8(byte);
        self.at.push(at);
        self.gap_looked = false;
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Whether it is worth looking.
    pub fn is_enough(&self) -> bool {
        self.bytes.len() >= self.enough
    }

    /// Nothing can be read before so many more bytes are there; `None`: before silence.
    pub fn wait_for(&mut self, more: Option<usize>, closing: Closing) {
        self.enough = more.map_or(usize::MAX, |more| self.bytes.len() + more.max(1));
        self.gap_looked |= closing == Closing::Gap;
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The gap was looked at already, and nothing ended there.
    pub fn gap_is_known(&self) -> bool {
        self.gap_looked
    }

    pub fn take(&mut self, count: usize) -> Taken {
        let count = count.min(self.bytes.len());
        let from = self.at.first().copied().unwrap_or_default();
        let at = count.checked_sub(1).map_or(from, |last| self.at[last]);
        let bytes = self.bytes.split_to(count).freeze();
        self.at.drain(..count);
        let mut taken = Vec::new();
        if !self.faults.is_empty() {
            let behind = self.faults.partition_point(|(place, _)| *place < count);
            taken = self.faults.drain(..behind).collect();
            self.faults.iter_mut().for_each(|(place, _)| *place -= count);
        }
        self.enough = 0;
        (bytes, from, at, taken)
    }

    fn quiet(&self, settings: Settings) -> Span {
        let gap = self.gap(settings).unwrap_or(Span::ZERO);
        gap.max(self.patience).max(settings.character_time() * 20)
    }

    /// When the first byte was in.
    pub fn since(&self) -> Option<Instant> {
        self.at.first().copied()
    }

    /// What the silence until now says.
    pub fn closing(&mut self, now: Instant, settings: Settings) -> Closing {
        let Some(last) = self.at.last() else { return Closing::No };
        let silence = now.since(*last);
        let (gap, quiet) = match self.paced {
            Some((known, gap, quiet)) if known == settings => (gap, quiet),
            _ => {
                let (gap, quiet) = (self.gap(settings), self.quiet(settings));
                self.paced = Some((settings, gap, quiet));
                (gap, quiet)
            }
        };
        match gap {
            _ if silence >= quiet => Closing::Yes,
            Some(gap) if silence >= gap => Closing::Gap,
            _ => Closing::No,
        }
    }

    /// When silence will say something new.
    pub fn deadline(&self, settings: Settings) -> Option<Instant> {
        let last = *self.at.last()?;
        let gap = self.gap(settings).filter(|_| !self.gap_looked);
        Some(last + gap.unwrap_or_else(|| self.quiet(settings)))
    }
}
