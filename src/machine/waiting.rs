//! Bytes that were heard and are not understood yet, and how silence closes them.

use std::cell::Cell;

use bytes::{BufMut, Bytes, BytesMut};

use crate::line::{Fault, Instant, Settings, Span};
use crate::protocol::Time;

use super::hear::FrameSet;

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
    times: Vec<Instant>,
    faults: Vec<(usize, Fault)>,
    /// So many bytes must be there before it is worth looking again.
    enough: usize,
    gap: Option<Time>,
    /// The settings for which the silences were computed, and these: the table's gap, and what closes for good.
    paced: (Settings, Paces),
    /// How much later than its byte a stamp can be: a silence that is no longer may be none.
    late: Span,
    /// What an adapter may hold back.
    patience: Span,
    /// The gap was looked at, and no frame ended there.
    gap_looked: bool,
    /// Frames that the bytes at the front are not.
    ruled_out: Cell<FrameSet>,
}

/// Frames that are short share a piece of memory of so many bytes.
const ROOM: usize = 256;

/// The table's gap, and the silence that closes for good.
type Paces = (Option<Span>, Span);

/// Bytes taken from the front: the bytes, when the first and the last were in, their faults.
pub(super) type Taken = (Bytes, Instant, Instant, Vec<(usize, Fault)>);

impl Heap {
    pub fn new(gap: Option<Time>, patience: Span, settings: Settings) -> Heap {
        let paces = paces(gap.as_ref(), patience, Span::ZERO, settings);
        Heap {
            bytes: BytesMut::new(),
            times: Vec::new(),
            faults: Vec::new(),
            enough: 0,
            gap,
            paced: (settings, paces),
            late: Span::ZERO,
            patience,
            gap_looked: false,
            ruled_out: Cell::default(),
        }
    }

    /// Bytes can be stamped so late: those of one frame come apart where they came together.
    pub fn stamped(&mut self, late: Span) {
        self.late = late;
        self.pace(self.paced.0);
    }

    /// The line is at these settings: silences are as long as so many of its characters.
    pub fn at(&mut self, settings: Settings) {
        if settings != self.paced.0 {
            self.pace(settings);
        }
    }

    fn pace(&mut self, settings: Settings) {
        self.paced = (settings, paces(self.gap.as_ref(), self.patience, self.late, settings));
    }

    /// Whether a byte moves the next deadline anywhere but further away.
    pub fn is_calm(&self) -> bool {
        !self.bytes.is_empty() && !self.gap_looked
    }

    #[inline]
    pub fn push(&mut self, byte: u8, at: Instant, fault: Option<Fault>) {
        if let Some(fault) = fault {
            self.faults.push((self.bytes.len(), fault));
        }
        if self.bytes.len() == self.bytes.capacity() {
            self.bytes.reserve(ROOM);
        }
        self.bytes.put_u8(byte);
        self.times.push(at);
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

    /// Frames that the bytes at the front are not, as far as anybody has found out.
    pub fn ruled_out(&self) -> &Cell<FrameSet> {
        &self.ruled_out
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
        let from = self.times.first().copied().unwrap_or_default();
        let at = count.checked_sub(1).map_or(from, |last| self.times[last]);
        let bytes = self.bytes.split_to(count).freeze();
        self.times.drain(..count);
        let mut taken = Vec::new();
        if !self.faults.is_empty() {
            let behind = self.faults.partition_point(|(place, _)| *place < count);
            taken = self.faults.drain(..behind).collect();
            self.faults.iter_mut().for_each(|(place, _)| *place -= count);
        }
        self.enough = 0;
        self.ruled_out = Cell::default();
        (bytes, from, at, taken)
    }

    /// When the first byte was in.
    pub fn since(&self) -> Option<Instant> {
        self.times.first().copied()
    }

    /// What the silence until now says.
    pub fn closing(&self, now: Instant) -> Closing {
        let Some(last) = self.times.last() else { return Closing::No };
        let silence = now.since(*last);
        let (gap, quiet) = self.paced.1;
        match gap {
            _ if silence >= quiet => Closing::Yes,
            Some(gap) if silence >= gap => Closing::Gap,
            _ => Closing::No,
        }
    }

    /// When silence will say something new.
    pub fn deadline(&self) -> Option<Instant> {
        let last = *self.times.last()?;
        let (gap, quiet) = self.paced.1;
        Some(last + gap.filter(|_| !self.gap_looked).unwrap_or(quiet))
    }
}

fn paces(gap: Option<&Time>, patience: Span, late: Span, settings: Settings) -> Paces {
    let gap = gap.map(|gap| gap.at(settings) + late);
    (gap, gap.unwrap_or(Span::ZERO).max(patience).max(settings.character_time() * 20))
}
