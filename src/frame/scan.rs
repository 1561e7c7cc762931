//! Frames in a stream of bytes, in whatever pieces they come, and the way back to step after garbage.
//!
//! What is found depends on the bytes and the gaps alone, never on how they were cut. At each place the frames are tried
//! in their order, those that only silence ends last; the first that is complete is taken, and one before it that may
//! still become complete is waited for. After a mismatch the search goes on one byte later, so no frame is lost in what
//! looked like the beginning of another.

use std::borrow::Borrow;
use std::collections::VecDeque;

use memchr::{memchr, memchr2, memchr3};

use super::codec::Frame;
use super::envelope::LONGEST;
use super::expr::Scope;
use super::fused::{Fit, Fused};
use super::layout::Envelope;
use super::reading::Outcome;

/// Finds frames in bytes that are pushed into it; holds no more than one frame's beginning.
#[derive(Debug)]
pub struct Stream<F> {
    readers: Vec<Reader<F>>,
    /// For each byte the frames that can begin with it.
    beginning: Vec<Vec<usize>>,
    quick: Quick,
    /// What was pushed and is not decided, from `start` on.
    held: Vec<u8>,
    start: usize,
    /// Where in the stream the first undecided byte stands.
    at: u64,
    /// With fewer undecided bytes nothing new can be said.
    need: usize,
    /// From here on nothing was reported yet.
    unreported: u64,
    /// Places of bytes that the line reported as faulty.
    bad: VecDeque<u64>,
    /// The last decided byte, if no gap came behind it.
    last: Option<u8>,
    /// The flag that ended the frame right before, and may begin the next.
    behind_flag: Option<u8>,
}

/// What a stream is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// A whole, valid frame, by its place among the stream's frames.
    Frame { frame: usize, at: u64, bytes: &'a [u8] },
    /// Bytes that belong to no frame.
    Skipped { at: u64, len: u64 },
}

/// More bytes than any frame has; one that still needs more is none.
const MOST: usize = 2 * LONGEST + 1024;

/// A frame that only silence ends is looked for in so many bytes before it, beside right behind a gap or a frame.
const OPEN_WINDOW: usize = 1024;

/// So many bytes at once are put behind held ones; they may be read twice.
const PIECE: usize = 64;

impl<F: Borrow<Frame>> Stream<F> {
    /// A stream of these frames, likeliest or most special first.
    pub fn new(frames: impl IntoIterator<Item = F>) -> Stream<F> {
        let readers: Vec<Reader<F>> = frames.into_iter().map(Reader::new).collect();
        let mut beginning = vec![Vec::new(); 256];
        for is_open in [false, true] {
            for (index, reader) in readers.iter().enumerate().filter(|(_, reader)| reader.is_open == is_open)
            {
                let can = reader.frame.borrow().first_bytes();
                let places = beginning.iter_mut().zip(can).filter(|(_, can)| *can);
                places.for_each(|(frames, _)| frames.push(index));
            }
        }
        let quick = Quick::new(&readers, &beginning);
        Stream {
            readers,
            beginning,
            quick,
            held: Vec::new(),
            start: 0,
            at: 0,
            need: 0,
            unreported: 0,
            bad: VecDeque::new(),
            last: None,
            behind_flag: None,
        }
    }

    /// Takes the next bytes; tells in order what is decided by them.
    pub fn push(&mut self, bytes: &[u8], scope: &dyn Scope, mut found: impl FnMut(Found<'_>)) {
        let mut taken = 0;
        while self.start < self.held.len() {
            let missing = self.need.saturating_sub(self.held.len() - self.start);
            let piece = missing.max(PIECE).min(bytes.len() - taken);
            self.hold(&bytes[taken..taken + piece]);
            taken += piece;
            if self.held.len() - self.start < self.need {
                return;
            }
            let held = std::mem::take(&mut self.held);
            self.start += self.scan(&held[self.start..], false, scope, &mut found);
            self.held = held;
            let undecided = self.held.len() - self.start;
            if undecided <= taken {
                // All that is undecided came just now: on without copying.
                taken -= undecided;
                self.held.clear();
                self.start = 0;
            } else if taken == bytes.len() {
                return;
            }
        }
        let bytes = &bytes[taken..];
        let decided = self.scan(bytes, false, scope, &mut found);
        self.hold(&bytes[decided..]);
    }

    /// Takes a byte that the line reported as faulty: no frame with it is valid.
    pub fn push_bad(&mut self, byte: u8, scope: &dyn Scope, found: impl FnMut(Found<'_>)) {
        self.bad.push_back(self.pushed());
        self.push(&[byte], scope, found);
    }

    /// A gap, a turnaround or the end: what has come is all there is of it.
    pub fn close(&mut self, scope: &dyn Scope, mut found: impl FnMut(Found<'_>)) {
        let held = std::mem::take(&mut self.held);
        self.scan(&held[self.start..], true, scope, &mut found);
        self.held = held;
        self.held.clear();
        self.start = 0;
        self.need = 0;
        self.report_skipped(self.at, &mut found);
        self.behind_flag = None;
        self.last = None;
    }

    /// How many bytes were pushed.
    pub fn pushed(&self) -> u64 {
        self.at + (self.held.len() - self.start) as u64
    }

    /// Bytes of memory that the stream keeps for undecided bytes.
    pub fn capacity(&self) -> usize {
        self.held.capacity() + self.bad.capacity() * size_of::<u64>()
    }

    fn hold(&mut self, bytes: &[u8]) {
        if self.start > self.held.len() / 2 {
            self.held.drain(..self.start);
            self.start = 0;
        }
        self.held.extend_from_slice(bytes);
    }

    /// Decides what can be decided of `run`, which begins at `self.at`; how many bytes that was.
    fn scan(
        &mut self,
        run: &[u8],
        closed: bool,
        scope: &dyn Scope,
        found: &mut impl FnMut(Found<'_>),
    ) -> usize {
        let from = self.at;
        let mut next = 0;
        self.need = 0;
        while next < run.len() {
            if self.behind_flag.is_none() && self.bad.is_empty() {
                next = self.scan_quickly(run, next, found);
                if next == run.len() {
                    break;
                }
            }
            let rest = &run[next..];
            let before = next.checked_sub(1).map_or(self.last, |last| run.get(last).copied());
            match self.look(rest, before, from + next as u64, closed, scope) {
                Look::Frame { frame, len } => {
                    let at = from + next as u64;
                    self.report_skipped(at, found);
                    found(Found::Frame { frame, at, bytes: &rest[..len] });
                    next += len;
                    self.unreported = at + len as u64;
                    self.behind_flag = self.readers[frame].flag;
                }
                Look::More(more) => {
                    self.need = rest.len() + more;
                    break;
                }
                Look::None => {
                    next += self.quick.step(&rest[1..]);
                    self.behind_flag = None;
                }
            }
        }
        self.at = from + next as u64;
        self.last = next.checked_sub(1).map_or(self.last, |last| run.get(last).copied());
        next
    }

    /// Goes on from `next` as long as the first byte leaves one frame and its fused layout says yes or no.
    fn scan_quickly(&mut self, run: &[u8], mut next: usize, found: &mut impl FnMut(Found<'_>)) -> usize {
        let [from, mut unreported] = [self.at, self.unreported];
        while let Some(&first) = run.get(next) {
            let frame = self.quick.only[usize::from(first)];
            let Some(fused) = self.quick.fused.get(usize::from(frame)) else {
                if frame != Quick::NONE {
                    break;
                }
                next += self.quick.seek.next(&run[next..]);
                continue;
            };
            let rest = &run[next..];
            match fused.judge(rest) {
                Fit::Whole(len) => {
                    let at = from + next as u64;
                    if at > unreported {
                        found(Found::Skipped { at: unreported, len: at - unreported });
                    }
                    found(Found::Frame { frame: frame.into(), at, bytes: &rest[..len] });
                    next += len;
                    unreported = at + len as u64;
                }
                Fit::No => next += self.quick.step(&rest[1..]),
                Fit::Ask | Fit::More(_) => break,
            }
        }
        self.unreported = unreported;
        next
    }

    /// Which frame begins at the start of `rest`; `before` is the byte before it, if it was not a gap.
    fn look(&mut self, rest: &[u8], before: Option<u8>, at: u64, closed: bool, scope: &dyn Scope) -> Look {
        while self.bad.front().is_some_and(|&bad| bad < at) {
            self.bad.pop_front();
        }
        let clean = self.bad.front().map_or(usize::MAX, |bad| (bad - at) as usize);
        let is_fresh = at == self.unreported;
        let is_open_tried = is_fresh || rest.len() <= OPEN_WINDOW;
        for &frame in &self.beginning[usize::from(rest[0])] {
            let reader = &mut self.readers[frame];
            if reader.starts_behind.is_some_and(|end| !is_fresh && before != Some(end)) {
                continue;
            }
            match reader.fit(rest, at, closed, is_open_tried, scope) {
                Fit::Whole(len) if len <= clean => return Look::Frame { frame, len },
                Fit::More(more) if !closed && rest.len() <= clean && rest.len() < reader.most => {
                    return Look::More(more);
                }
                _ => {}
            }
        }
        match self.behind_flag {
            Some(flag) if flag != rest[0] => self.look_behind_flag(flag, rest, closed, scope, clean),
            _ => Look::None,
        }
    }

    /// Which frame begins with the flag that ended the one before.
    #[cold]
    fn look_behind_flag(
        &mut self,
        flag: u8,
        rest: &[u8],
        closed: bool,
        scope: &dyn Scope,
        clean: usize,
    ) -> Look {
        let Some(end) = memchr(flag, rest) else {
            let wait = !closed && rest.len() <= clean && rest.len() < MOST;
            return if wait { Look::More(1) } else { Look::None };
        };
        let whole = [&[flag], &rest[..=end]].concat();
        for (frame, reader) in self.readers.iter().enumerate().filter(|(_, reader)| reader.flag == Some(flag))
        {
            match reader.frame.borrow().parse(&whole, closed, scope) {
                Outcome::Complete(reading) if reading.len == whole.len() && end < clean => {
                    return Look::Frame { frame, len: end + 1 };
                }
                _ => {}
            }
        }
        Look::None
    }

    fn report_skipped(&mut self, until: u64, found: &mut impl FnMut(Found<'_>)) {
        if until > self.unreported {
            found(Found::Skipped { at: self.unreported, len: until - self.unreported });
        }
        self.unreported = until;
    }
}

#[derive(Debug)]
enum Look {
    Frame { frame: usize, len: usize },
    More(usize),
    None,
}

/// A frame, ready to be recognised.
#[derive(Debug)]
struct Reader<F> {
    frame: F,
    fused: Fused,
    closing: Option<Closing>,
    /// An envelope without a mark at its start begins where another ended, with this byte.
    starts_behind: Option<u8>,
    /// The flag of its envelope, which two frames can share.
    flag: Option<u8>,
    /// No such frame is longer.
    most: usize,
    /// Without an envelope: the fused layout alone can tell.
    is_plain: bool,
    /// Only silence ends it.
    is_open: bool,
}

impl<F: Borrow<Frame>> Reader<F> {
    fn new(frame: F) -> Reader<F> {
        let borrowed: &Frame = frame.borrow();
        let fused = borrowed.fused().clone();
        let envelope = borrowed.envelope();
        let closing = envelope.map_or(fused.closing(), Envelope::closing);
        let flag = match envelope {
            Some(Envelope::Slip | Envelope::Hdlc { .. }) => closing,
            _ => None,
        };
        let most = match envelope {
            Some(Envelope::Line { start, end, longest }) => start.len() + *longest as usize + end.len(),
            _ => MOST,
        };
        Reader {
            closing: closing.map(Closing::of),
            starts_behind: envelope.filter(|envelope| envelope.opening().is_none()).and(closing),
            flag,
            most: most.min(MOST),
            is_open: borrowed.ends_by_gap(),
            is_plain: envelope.is_none(),
            fused,
            frame,
        }
    }

    #[inline]
    fn fit(&mut self, rest: &[u8], at: u64, closed: bool, is_open_tried: bool, scope: &dyn Scope) -> Fit {
        if self.is_plain {
            match self.fused.judge(rest) {
                Fit::Ask if self.is_open && !closed => return Fit::More(1),
                Fit::Ask if self.is_open && !is_open_tried => return Fit::No,
                Fit::Ask => {}
                told => return told,
            }
        }
        self.ask(rest, at, closed, scope)
    }

    fn ask(&mut self, rest: &[u8], at: u64, closed: bool, scope: &dyn Scope) -> Fit {
        if let Some(closing) = self.closing.as_mut().filter(|_| !closed)
            && !closing.has_come(rest, at)
        {
            return Fit::More(1);
        }
        match self.frame.borrow().parse(rest, closed, scope) {
            Outcome::Complete(reading) if reading.len > 0 => Fit::Whole(reading.len),
            Outcome::More(more) => {
                if let Some(closing) = &mut self.closing {
                    closing.wait_behind(rest, at);
                }
                Fit::More(more)
            }
            Outcome::Complete(_) | Outcome::Wrong(_) => Fit::No,
        }
    }
}

/// Remembers how far there is no byte that could end a frame, so that nobody looks twice.
#[derive(Debug)]
struct Closing {
    byte: u8,
    /// Where it stands next, or up to where it was looked for.
    next: u64,
    has_come: bool,
    /// The frame that begins here needs one further on.
    waits: Option<u64>,
}

impl Closing {
    fn of(byte: u8) -> Closing {
        Closing { byte, next: 0, has_come: false, waits: None }
    }

    /// Whether it stands somewhere in `rest`, which begins at `at`.
    fn has_come(&mut self, rest: &[u8], at: u64) -> bool {
        if self.next < at || self.waits.is_some_and(|waits| waits != at) {
            *self = Closing { next: at, ..Closing::of(self.byte) };
        }
        if !self.has_come {
            let looked = (self.next - at) as usize;
            let place = memchr(self.byte, &rest[looked.min(rest.len())..]);
            self.has_come = place.is_some();
            self.next = at + place.map_or(rest.len(), |place| looked + place) as u64;
        }
        self.has_come
    }

    fn wait_behind(&mut self, rest: &[u8], at: u64) {
        *self = Closing { next: at + rest.len() as u64, has_come: false, waits: Some(at), ..*self };
    }
}

/// What is enough for most bytes: small, and never written to.
#[derive(Debug)]
struct Quick {
    /// For each byte the one frame that can begin with it.
    only: Box<[u16; 256]>,
    /// The layouts of those frames, where they have no envelope; the frames' places are kept.
    fused: Vec<Fused>,
    seek: Seek,
}

impl Quick {
    /// No frame begins with this byte.
    const NONE: u16 = u16::MAX;
    /// Several do, or one that has an envelope.
    const MANY: u16 = u16::MAX - 1;

    fn new<F>(readers: &[Reader<F>], beginning: &[Vec<usize>]) -> Quick {
        let only = std::array::from_fn(|byte| match *beginning[byte] {
            [] => Quick::NONE,
            [frame] if readers[frame].is_plain && frame < usize::from(Quick::MANY) => frame as u16,
            _ => Quick::MANY,
        });
        let fused = readers.iter().take(Quick::MANY.into()).map(|reader| reader.fused.clone()).collect();
        Quick { only: Box::new(only), fused, seek: Seek::to(beginning) }
    }

    /// Over a byte at which no frame begins, to the next at which one can; `behind` is what stands behind it.
    #[inline(always)]
    fn step(&self, behind: &[u8]) -> usize {
        match behind.first() {
            Some(&byte) if self.only[usize::from(byte)] == Quick::NONE => 1 + self.seek.next(behind),
            _ => 1,
        }
    }
}

/// The way to the next byte that some frame can begin with.
#[derive(Debug)]
enum Seek {
    Nowhere,
    One(u8),
    Two([u8; 2]),
    Three([u8; 3]),
    Table(Box<[bool; 256]>),
}

impl Seek {
    fn to(beginning: &[Vec<usize>]) -> Seek {
        let can = |byte: u8| !beginning[usize::from(byte)].is_empty();
        let bytes: Vec<u8> = (0..=u8::MAX).filter(|&byte| can(byte)).collect();
        match *bytes.as_slice() {
            [] => Seek::Nowhere,
            [one] => Seek::One(one),
            [one, two] => Seek::Two([one, two]),
            [one, two, three] => Seek::Three([one, two, three]),
            _ => Seek::Table(Box::new(std::array::from_fn(|byte| can(byte as u8)))),
        }
    }

    /// How many bytes come before it, or all.
    fn next(&self, bytes: &[u8]) -> usize {
        let found = match self {
            Seek::Nowhere => None,
            Seek::One(one) => memchr(*one, bytes),
            Seek::Two([one, two]) => memchr2(*one, *two, bytes),
            Seek::Three([one, two, three]) => memchr3(*one, *two, *three, bytes),
            Seek::Table(can) => bytes.iter().position(|&byte| can[usize::from(byte)]),
        };
        found.unwrap_or(bytes.len())
    }
}

#[cfg(test)]
mod tests;
