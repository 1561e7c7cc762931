//! Hearing: bytes are offered to threads; those whose frame fits and whose binds agree go on.

use std::borrow::Cow;
use std::cell::Cell;

use crate::frame::{EvalError, Fit, Mismatch, Outcome, Prefix, Reading, Scope, Screen, Value, Values};
use crate::line::Direction;
use crate::protocol::FrameId;

use super::needed::Needed;
use super::program::Step;
use super::scope::Heard;
use super::thread::Thread;
use super::view::{Ground, Role, Source, View};

/// Bytes of one side, offered to threads.
#[derive(Clone)]
pub(super) struct Offer<'a> {
    pub ground: Ground<'a>,
    pub bytes: &'a [u8],
    /// The first of them, for frames that they rule out.
    pub prefix: Prefix<'a>,
    /// Frames that these bytes are not, whatever comes behind them; where they are looked at again, nobody asks again.
    pub ruled_out: Option<&'a Cell<FrameSet>>,
    /// The frame that was last found to be here, as far as a glance tells.
    pub fits: Cell<Option<(FrameId, Fit)>>,
    /// Nothing more will come: a gap, a turnaround, the end.
    pub closed: bool,
    /// Only who might accept is asked; why the others do not is not told.
    pub quick: bool,
    /// Strange bytes came before, so what is accepted says what it is worth by what was known.
    pub strange: bool,
    /// Whose bytes they are; `None` on a shared wire, where they may be anybody's.
    pub from: Option<Direction>,
}

/// Frames that could come. Tables have fewer than 128; those behind share the last place, and count as one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FrameSet(u128);

impl FrameSet {
    pub fn insert(&mut self, frame: FrameId) {
        self.0 |= 1 << frame.0.min(127);
    }

    pub fn with(self, other: FrameSet) -> FrameSet {
        FrameSet(self.0 | other.0)
    }

    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether this very frame is in it: of those that share the last place nobody knows.
    fn has(self, frame: FrameId) -> bool {
        frame.0 < 127 && self.0 >> frame.0 & 1 == 1
    }
}

impl FromIterator<FrameId> for FrameSet {
    fn from_iter<I: IntoIterator<Item = FrameId>>(frames: I) -> FrameSet {
        let mut set = FrameSet::default();
        frames.into_iter().for_each(|frame| set.insert(frame));
        set
    }
}

/// What became of an offer.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// Threads that have accepted a frame, all of the same length, in order of priority, and have gone past it.
    pub accepted: Vec<Thread>,
    pub accepted_frame: Option<Accepted>,
    /// Some thread needs so many more bytes at the least.
    pub more: Needed,
    pub wrong: Vec<Wrong>,
}

/// The frame of the first thread that accepted.
#[derive(Clone, Debug)]
pub(super) struct Accepted {
    pub len: usize,
    pub frame: FrameId,
    pub direction: Direction,
    pub values: Values,
    /// The place of the message in the program.
    pub pc: usize,
    /// How many different frames could have come here.
    pub alternatives: usize,
    /// Bits that are no chance because it was known what stands there; 0 unless strange bytes came before.
    pub known: f64,
}

/// Why a thread did not accept.
#[derive(Clone, Debug)]
pub(super) struct Wrong {
    /// Which of the threads offered.
    pub thread: usize,
    pub mismatch: Mismatch,
    /// The frame itself was healthy; a value is not the one that was known.
    pub reading: Option<Reading>,
    /// The value that differs is a parameter: the frame is for somebody else.
    pub for_another: bool,
}

/// A value that is not the one that is known.
struct Differs {
    mismatch: Mismatch,
    for_another: bool,
}

impl<'a> Offer<'a> {
    /// What every thread that waits is asked, and why it does not accept.
    pub fn of(ground: Ground<'a>, bytes: &'a [u8], closed: bool, from: Option<Direction>) -> Offer<'a> {
        Offer {
            ground,
            bytes,
            prefix: Prefix::of(bytes),
            ruled_out: None,
            fits: Cell::new(None),
            closed,
            quick: false,
            strange: false,
            from,
        }
    }

    /// Offers the bytes to every thread that waits for a frame of this side.
    pub fn to(&self, threads: &[Thread]) -> Answers {
        self.ask(threads.iter().map(Cow::Borrowed), FrameSet::default(), Needed::default())
    }

    /// The same, where `frames` could have come beside and one of them needs `more` bytes.
    pub fn ask<'t>(
        &self,
        threads: impl IntoIterator<Item = Cow<'t, Thread>>,
        mut frames: FrameSet,
        more: Needed,
    ) -> Answers {
        let program = self.ground.program;
        let mut answers = Answers { more, ..Answers::default() };
        let mut parsed = Parsed::default();
        let mut last = None; // who has accepted last
        for (index, thread) in threads.into_iter().enumerate() {
            let Some(step) = self.step(&thread) else { continue };
            frames.insert(step.frame);
            let (pc, course) = (thread.pc, thread.course());
            if self.quick
                && !self.strange
                && last.is_some_and(|(known, of)| of == course && program.are_equivalent(known, pc))
            {
                continue; // it would go on as that one does
            }
            if self.quick {
                match self.glance(step.frame) {
                    Fit::No => continue,
                    Fit::More(more) => {
                        answers.more.by(more);
                        continue;
                    }
                    Fit::Whole(_) | Fit::Ask => {}
                }
            }
            match &*self.parse(&thread, step, &mut parsed) {
                Outcome::More(more) => answers.more.by(*more),
                Outcome::Wrong(_) if self.quick => {}
                Outcome::Wrong(mismatch) => {
                    let mismatch = mismatch.clone();
                    answers.wrong.push(Wrong { thread: index, mismatch, reading: None, for_another: false });
                }
                Outcome::Complete(reading) => {
                    let before = answers.accepted.len();
                    self.take(&mut answers, index, thread, step, reading);
                    if answers.accepted.len() > before {
                        last = Some((pc, course));
                    }
                }
            }
        }
        if let Some(accepted) = &mut answers.accepted_frame {
            accepted.alternatives = frames.len();
        }
        answers
    }

    /// The frames of this side that these threads wait for.
    pub fn awaited(&self, threads: &[Thread]) -> FrameSet {
        threads.iter().filter_map(|thread| self.step(thread)).map(|step| step.frame).collect()
    }

    /// What the bytes are to a frame at a glance; where nothing more will come, what lacks bytes is none.
    pub fn glance(&self, frame: FrameId) -> Fit {
        self.screened(frame, self.ground.program.screen(frame))
    }

    /// The same, where what rules the frame out is at hand.
    #[inline(always)]
    pub fn screened(&self, frame: FrameId, screen: &Screen) -> Fit {
        if self.ruled_out.is_some_and(|known| known.get().has(frame)) {
            return Fit::No;
        }
        match screen.tell(&self.prefix).unwrap_or_else(|| self.closer(frame)) {
            Fit::More(_) if self.closed => Fit::No,
            Fit::No => {
                if let Some(known) = self.ruled_out {
                    let mut ruled_out = known.get();
                    ruled_out.insert(frame);
                    known.set(ruled_out);
                }
                Fit::No
            }
            fit => fit,
        }
    }

    fn closer(&self, frame: FrameId) -> Fit {
        let program = self.ground.program;
        if let Some((known, fit)) = self.fits.get()
            && known == frame
        {
            return fit;
        }
        if !program.may_begin_with(frame, self.bytes[0]) {
            return Fit::No;
        }
        let fit = program.frame(frame).glance(self.bytes);
        if fit.is_possible() {
            self.fits.set(Some((frame, fit)));
        }
        fit
    }

    /// Whether one of these frames can be here as a whole; one that lacks bytes says how many.
    pub fn may_begin(&self, frames: &[FrameId], set: &mut FrameSet, more: &mut Needed) -> bool {
        let mut may = false;
        for &frame in frames {
            set.insert(frame);
            may |= more.unless_whole(self.glance(frame)).is_none();
        }
        may
    }

    /// The message that a thread waits for, if these bytes can be it.
    pub fn step(&self, thread: &Thread) -> Option<&'a Step> {
        let program = self.ground.program;
        let step = program.step(thread.pc)?;
        let heard = self.from.is_none_or(|from| from == step.direction);
        let keyed = self.ground.role == Role::Device && program.is_keyed(thread.phase);
        (heard && !keyed).then_some(step)
    }

    fn take(
        &self,
        answers: &mut Answers,
        index: usize,
        thread: Cow<'_, Thread>,
        step: &Step,
        reading: &Reading,
    ) {
        if answers.accepted_frame.as_ref().is_some_and(|first| first.len != reading.len) {
            return;
        }
        let first = answers.accepted_frame.as_ref().filter(|first| first.values == reading.values);
        let values = first.map_or(&reading.values, |first| &first.values).clone();
        let pc = thread.pc;
        let known = || if self.strange { self.known(&thread, step, &reading.values) } else { 0.0 };
        let known = if answers.accepted_frame.is_none() { known() } else { 0.0 };
        match accept(self.ground, thread.into_owned(), step, &values) {
            Ok(accepted) => {
                answers.accepted_frame.get_or_insert(Accepted {
                    len: reading.len,
                    frame: step.frame,
                    direction: step.direction,
                    values,
                    pc,
                    alternatives: 1,
                    known,
                });
                answers.accepted.push(accepted);
            }
            Err(Differs { mismatch, for_another }) => {
                let reading = Some(reading.clone());
                answers.wrong.push(Wrong { thread: index, mismatch, reading, for_another });
            }
        }
    }

    /// The bits of a frame that are what they had to be by what this thread knew before.
    pub fn known(&self, thread: &Thread, step: &Step, values: &Values) -> f64 {
        let chance = self.ground.program.chance(step.frame);
        let view = || View::new(self.ground, &thread.place).of(step.direction);
        let bound = step.binds.iter().filter_map(|bind| {
            let value = values.get(&bind.field)?;
            let view = view().for_field(&bind.field);
            let known = match bind.captures {
                Some(name) => view.find(name).ok()?.filter(|(_, source)| *source != Source::Default)?.0,
                None => view.value(&bind.value).ok()??,
            };
            same(&known, value).then(|| chance.known(&bind.field, value))
        });
        let follows = chance.follows(|expr| matches!(view().value(expr), Ok(Some(_))));
        bound.sum::<f64>() + follows
    }

    fn parse<'p>(&self, thread: &Thread, step: &Step, parsed: &'p mut Parsed) -> Cow<'p, Outcome> {
        let program = self.ground.program;
        let frame = program.frame(step.frame);
        let fits = self.fits.get().is_some_and(|(known, _)| known == step.frame);
        let read = |scope: &dyn Scope| match self.quick {
            true if fits => frame.recognise_fitting(self.bytes, self.closed, scope),
            true => frame.recognise(self.bytes, self.closed, scope),
            false => frame.parse(self.bytes, self.closed, scope),
        };
        if !program.is_closed(step.frame) {
            let view = View::new(self.ground, &thread.place).of(step.direction).with_binds(&step.binds);
            return Cow::Owned(read(&view));
        }
        // Such a frame reads the same whatever is known.
        Cow::Borrowed(parsed.once(step.frame, || read(&crate::frame::Nothing)))
    }

    /// Reads the bytes as a frame by itself, outside any thread but with what one of them knows.
    pub fn as_frame(&self, frame: FrameId, direction: Direction, thread: Option<&Thread>) -> Outcome {
        let place = thread.map(|thread| &thread.place);
        let nothing = Default::default();
        let view = View::new(self.ground, place.unwrap_or(&nothing)).of(direction);
        self.ground.program.frame(frame).recognise(self.bytes, self.closed, &view)
    }

    /// The longest reading of the bytes for any of these threads, with one fault let through.
    pub fn damaged(&self, threads: &[Thread]) -> Damaged {
        let mut damaged = Damaged { best: None, differs: false, more: Needed::default() };
        let frame = |step: &Step| self.ground.program.frame(step.frame);
        for (index, thread) in threads.iter().enumerate() {
            let Some(step) = self.step(thread) else { continue };
            let view = View::new(self.ground, &thread.place).of(step.direction).with_binds(&step.binds);
            let mut reading = match frame(step).recognise_damaged(self.bytes, self.closed, &view, 1) {
                Outcome::Complete(reading) => reading,
                Outcome::More(more) => {
                    damaged.more.by(more);
                    continue;
                }
                Outcome::Wrong(_) => continue,
            };
            let healthy = reading.wrong.is_empty();
            if healthy {
                // The frame is healthy, so a value is not the one that was known.
                match accept(self.ground, thread.clone(), step, &reading.values) {
                    Ok(_) => continue,
                    Err(differs) => reading.wrong.push(differs.mismatch),
                }
            }
            if damaged.best.as_ref().is_none_or(|(_, best)| best.len < reading.len) {
                damaged.best = Some((index, reading));
                damaged.differs = healthy;
            }
        }
        // Only what is told has words.
        if let Some((index, best)) = damaged.best.as_mut().filter(|_| !damaged.differs)
            && let Some(step) = self.step(&threads[*index])
        {
            let view =
                View::new(self.ground, &threads[*index].place).of(step.direction).with_binds(&step.binds);
            if let Outcome::Complete(told) = frame(step).parse_damaged(self.bytes, self.closed, &view, 1) {
                *best = told;
            }
        }
        damaged
    }
}

/// A damaged frame, as far as it can be read.
pub(super) struct Damaged {
    /// Which of the threads offered, and its reading.
    pub best: Option<(usize, Reading)>,
    /// The frame is healthy; a value is not the one that was known.
    pub differs: bool,
    /// Some thread would need so many more bytes.
    pub more: Needed,
}

/// Frames that read the same for every thread, parsed once an offer. Most offers parse one.
#[derive(Default)]
struct Parsed {
    first: Option<(FrameId, Outcome)>,
    others: Vec<(FrameId, Outcome)>,
}

impl Parsed {
    fn once(&mut self, frame: FrameId, parse: impl FnOnce() -> Outcome) -> &Outcome {
        let (first, outcome) = match &mut self.first {
            Some(first) => first,
            none => return &none.insert((frame, parse())).1,
        };
        if *first == frame {
            return outcome;
        }
        let known = self.others.iter().position(|(known, _)| *known == frame);
        let place = known.unwrap_or_else(|| {
            self.others.push((frame, parse()));
            self.others.len() - 1
        });
        &self.others[place].1
    }
}

/// The thread past the message, when every bind agrees; a bare name that is not known takes the field's value.
fn accept(ground: Ground<'_>, mut past: Thread, step: &Step, values: &Values) -> Result<Thread, Differs> {
    for bind in &step.binds {
        let Some(value) = values.get(&bind.field) else { continue };
        let known = {
            let view = View::new(ground, &past.place).for_field(&bind.field).of(step.direction);
            match bind.captures {
                Some(name) => view.find(name).ok().flatten(),
                None => view.value(&bind.value).ok().flatten().map(|value| (value, Source::Scope)),
            }
        };
        let free = |source| ground.role == Role::Observer && source == Source::Default;
        match (known, bind.captures) {
            (Some((known, source)), _) if !free(source) => {
                if !same(&known, value) {
                    let for_another = source == Source::Fact || source == Source::Default;
                    return Err(Differs { mismatch: differs(bind, &known, value), for_another });
                }
            }
            (_, Some(name)) => past.scope().set_value(name, value.clone()),
            (_, None) => {}
        }
    }
    go_past(ground, &mut past, step, values);
    Ok(past)
}

/// Moves a thread behind a message whose values are these.
pub(super) fn go_past(ground: Ground<'_>, thread: &mut Thread, step: &Step, values: &Values) {
    let names = &ground.program.names;
    let course = &mut **thread;
    course.place.follow(names, step.frame, step.direction, values);
    if names.asks_for(step.frame) {
        thread.scope().set_frame(Heard { frame: step.frame, values: values.clone() });
    }
    if step.every.is_some() && ground.role.speaks() != Some(step.direction) {
        thread.repeated.push(step.frame);
    }
    thread.rested = false;
    thread.doubtful = false;
    thread.pc += 1;
}

/// Past a damaged frame: its values are kept where nothing else was known.
pub(super) fn go_past_damaged(ground: Ground<'_>, thread: &mut Thread, step: &Step, values: &Values) {
    for bind in &step.binds {
        let (Some(name), Some(value)) = (bind.captures, values.get(&bind.field)) else { continue };
        let known = View::new(ground, &thread.place).for_field(&bind.field).find(name);
        if matches!(known, Ok(None) | Err(EvalError::Unknown(_))) {
            let value = value.clone();
            thread.scope().set_value(name, value);
        }
    }
    go_past(ground, thread, step, values);
    thread.doubtful = true;
}

pub(super) fn same(known: &Value, value: &Value) -> bool {
    match (known, value) {
        // One byte may be written as a number, and a list of numbers as bytes.
        (Value::Bytes(blob), Value::List(list)) | (Value::List(list), Value::Bytes(blob)) => {
            blob.bytes.len() == list.len()
                && blob.bytes.iter().zip(list).all(|(byte, value)| value.as_int() == Some((*byte).into()))
        }
        _ => known == value,
    }
}

fn differs(bind: &super::program::Bound, known: &Value, value: &Value) -> Mismatch {
    Mismatch {
        at: 0,
        expected: format!("`{}` {}, is {}", bind.field, shown(known), shown(value)),
        of_sum: false,
    }
}

/// A value as a report can quote it: short, and never raw bytes of a device.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Int(int) if *int < 0 => int.to_string(),
        Value::Int(int) => format!("{int:#04X}"),
        Value::List(list) => {
            let shown: Vec<String> = list.iter().take(8).map(shown).collect();
            format!("[{}{}]", shown.join(", "), if list.len() > 8 { ", …" } else { "" })
        }
        Value::Bytes(blob) => {
            let hex: Vec<String> = blob.bytes.iter().take(16).map(|byte| format!("{byte:02X}")).collect();
            format!("{}{}", hex.join(" "), if blob.bytes.len() > 16 { " …" } else { "" })
        }
    }
}
