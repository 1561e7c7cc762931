//! A compiled frame: bytes to fields, and back.

use std::sync::{Arc, OnceLock};

use super::checksum::Checksum;
use super::envelope::{LONGEST, Opened};
use super::expr::Scope;
use super::fused::{Fit, Fused, Place, Screen};
use super::layout::{Envelope, Layout};
use super::parse::{Leniency, Stop};
use super::program::Program;
use super::reading::{EncodeError, Mismatch, Outcome, Reading};
use super::text::{Mistake, Name};
use super::value::Value;
use super::{compile, encode, parse};

/// A frame of a table, compiled once.
#[derive(Clone, Debug)]
pub struct Frame {
    name: Name,
    layout: Layout,
    envelope: Option<Envelope>,
    program: Arc<Program>,
    /// Made when it is first asked for: most frames of a table are only written down, or never come.
    fused: Arc<OnceLock<Fused>>,
}

impl Frame {
    /// Compiles a layout and checks what can be checked of a frame alone: names of spans, bounds, whole bytes, circles.
    pub fn compile(
        name: Name,
        mut layout: Layout,
        envelope: Option<Envelope>,
        checksums: &[Checksum],
    ) -> Result<Frame, Vec<Mistake>> {
        let program = Arc::new(compile::compile(&mut layout, checksums)?);
        Ok(Frame { name, layout, envelope, program, fused: Arc::default() })
    }

    pub fn name(&self) -> &Name {
        &self.name
    }

    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    pub fn envelope(&self) -> Option<&Envelope> {
        self.envelope.as_ref()
    }

    pub(super) fn program(&self) -> &Program {
        &self.program
    }

    pub(super) fn fused(&self) -> &Fused {
        self.fused.get_or_init(|| Fused::of(&self.layout, &|name| self.program.algorithm(name).cloned()))
    }

    /// What the bytes are to this frame at a glance: far quicker than to read them, and often it is enough.
    pub fn glance(&self, input: &[u8]) -> Fit {
        if self.envelope.is_some() { Fit::Ask } else { self.fused().judge(input) }
    }

    /// What the first bytes rule out; nothing where the frame is wrapped.
    pub fn screen(&self) -> Screen {
        if self.envelope.is_some() { Screen::default() } else { self.fused().screen() }
    }

    /// Whether the sums and CRCs of the frame are right for these bytes, whatever else is wrong with them; `None` where it has none that can be
    /// told by itself.
    pub fn sums_hold(&self, bytes: &[u8]) -> Option<bool> {
        if self.envelope.is_some() { None } else { self.fused().sums_hold(bytes) }
    }

    /// Where a field stands in the frame without its envelope, if that does not depend on what else the frame holds.
    pub fn place(&self, field: &str) -> Option<Place> {
        self.fused().place(field)
    }

    /// Whether the field stands in both frames at the same place and is read there in the same way, or in neither: it has one value in bytes
    /// that are both.
    pub fn reads_as(&self, other: &Frame, field: &str) -> bool {
        let is_bare = self.envelope.is_none() && other.envelope.is_none();
        is_bare && self.fused().reads_as(other.fused(), field)
    }

    /// Whether only a gap or a turnaround can end it: it has bytes without a length and no envelope.
    pub fn ends_by_gap(&self) -> bool {
        self.envelope.is_none() && self.program.ends_by_gap
    }

    /// Reads one frame at the start of `input`. `closed`: nothing more will come (a gap, a turnaround, the end).
    ///
    /// `scope` knows the names that the frame itself does not set; a relation on a name that is not known is not checked.
    pub fn parse(&self, input: &[u8], closed: bool, scope: &dyn Scope) -> Outcome {
        self.read(input, closed, scope, Leniency { faults: 0, words: true })
    }

    /// The same without first making what is only worth while for many frames.
    pub fn parse_once(&self, input: &[u8], closed: bool, scope: &dyn Scope) -> Outcome {
        self.by_parser(input, closed, scope, Leniency { faults: 0, words: true })
    }

    /// The same in a hurry: a mismatch says where it is, but has no words.
    pub fn recognise(&self, input: &[u8], closed: bool, scope: &dyn Scope) -> Outcome {
        self.read(input, closed, scope, Leniency { faults: 0, words: false })
    }

    /// The same of bytes that a glance found to be possible.
    pub fn recognise_fitting(&self, input: &[u8], closed: bool, scope: &dyn Scope) -> Outcome {
        let leniency = Leniency { faults: 0, words: false };
        let plain = if self.envelope.is_none() { self.fused().read_fitting(input, scope) } else { None };
        match plain {
            Some(Ok(reading)) => Outcome::Complete(reading),
            Some(Err(at)) => Outcome::Wrong(Mismatch { at, expected: String::new(), of_sum: false }),
            None => self.by_parser(input, closed, scope, leniency),
        }
    }

    /// The same, with up to `faults` wrong values let through and told: what an observer makes of a damaged frame.
    pub fn parse_damaged(&self, input: &[u8], closed: bool, scope: &dyn Scope, faults: usize) -> Outcome {
        self.read(input, closed, scope, Leniency { faults, words: true })
    }

    /// The same in a hurry: what is wrong says where it is, but has no words.
    pub fn recognise_damaged(&self, input: &[u8], closed: bool, scope: &dyn Scope, faults: usize) -> Outcome {
        self.read(input, closed, scope, Leniency { faults, words: false })
    }

    fn read(&self, input: &[u8], closed: bool, scope: &dyn Scope, leniency: Leniency) -> Outcome {
        if self.envelope.is_none() {
            match self.fused().read(input, scope) {
                Some(Ok(reading)) => return Outcome::Complete(reading),
                Some(Err(at)) if leniency.faults == 0 && !leniency.words => {
                    return Outcome::Wrong(Mismatch { at, expected: String::new(), of_sum: false });
                }
                Some(Err(_)) | None => {}
            }
        }
        self.by_parser(input, closed, scope, leniency)
    }

    fn by_parser(&self, input: &[u8], closed: bool, scope: &dyn Scope, leniency: Leniency) -> Outcome {
        match &self.envelope {
            None => match parse::payload(&self.program, input, closed, scope, leniency) {
                Ok(reading) => Outcome::Complete(reading),
                Err(stop) => stop.outcome(),
            },
            Some(envelope) => self.unwrapped(envelope, input, closed, scope, leniency),
        }
    }

    fn unwrapped(
        &self,
        envelope: &Envelope,
        input: &[u8],
        closed: bool,
        scope: &dyn Scope,
        leniency: Leniency,
    ) -> Outcome {
        let wrong = |at, expected| Outcome::Wrong(Mismatch { at, expected, of_sum: false });
        let mut lines = 1;
        loop {
            let contents = match envelope.open(input, lines) {
                Opened::Complete(contents) => contents,
                Opened::More(more) if closed => {
                    return wrong(input.len(), format!("{more} more bytes of the envelope"));
                }
                Opened::More(more) => return Outcome::More(more.max(1)),
                Opened::Wrong { at, expected } => return wrong(at, expected),
            };
            let payload = &contents.payload;
            let place = |at: usize| envelope.place(input, at.min(payload.len()));
            match parse::payload(&self.program, payload, !contents.goes_on, scope, leniency) {
                Ok(reading) if reading.len == payload.len() => {
                    let told = |fault: Mismatch| Mismatch { at: place(fault.at), ..fault };
                    let wrong = reading.wrong.into_iter().map(told).collect();
                    return Outcome::Complete(Reading { len: contents.len, wrong, ..reading });
                }
                Ok(reading) => return wrong(place(reading.len), "the end of the frame".into()),
                Err(Stop::Wrong(fault)) => return wrong(place(fault.at), fault.expected),
                Err(_) if contents.goes_on && payload.len() <= LONGEST => lines += 1,
                Err(_) => return wrong(place(payload.len()), "more bytes in the envelope".into()),
            }
        }
    }

    /// Encodes a frame from the values `given` to it by name; what is not given comes from `scope`.
    ///
    /// Computed fields are computed; presence flags, counts and lengths that are bare names follow from what is given.
    pub fn encode(&self, given: &[(Name, Value)], scope: &dyn Scope) -> Result<Vec<u8>, EncodeError> {
        let payload = encode::payload(&self.program, &self.name, given, scope)?;
        Ok(match &self.envelope {
            None => payload,
            Some(envelope) => envelope.seal(&payload),
        })
    }
}

impl Stop {
    fn outcome(self) -> Outcome {
        match self {
            Stop::More(more) => Outcome::More(more.max(1).unsigned_abs()),
            Stop::Wrong(mismatch) => Outcome::Wrong(mismatch),
        }
    }
}

#[cfg(test)]
#[path = "codec_tests.rs"]
mod tests;
