//! What each received byte was: part of a frame, a header, a status, text, a misread character, noise, an echo.

use std::collections::BTreeMap;

use crate::line::{Direction, Fault, Instant, LineErrors};
use crate::wire::single_pulse_bytes;

use super::cause::Cause;
use super::evidence::Evidence;
use super::measure::{Beside, beside};
use super::model::Model;
use super::window::{Heard, Standing, Window, is_text};

/// What a byte, or a run of bytes, was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Where a frame begins.
    Header,
    /// Part of a frame.
    Frame,
    /// A whole answer: an acknowledgement, a refusal, a status.
    Status,
    Text,
    /// A character that was sent and read as another.
    Missampled,
    /// Nobody sent it.
    Noise,
    /// The own byte, heard back.
    Echo,
    Unknown,
}

impl Verdict {
    /// The word of `hsdiag.decode/1`.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Header => "header",
            Verdict::Frame => "frame",
            Verdict::Status => "status",
            Verdict::Text => "text",
            Verdict::Missampled => "missampled",
            Verdict::Noise => "noise",
            Verdict::Echo => "echo",
            Verdict::Unknown => "unknown",
        }
    }
}

/// A verdict is given when it is at least as likely as this.
const SURE: f64 = 0.5;
/// Silence around a byte that stands alone, in character times.
const ALONE: f64 = 4.5;

/// What is measured of one byte, for the model.
pub struct Bytes<'a> {
    window: &'a Window,
    /// Which received bytes are what was sent just before.
    echo: Vec<bool>,
    /// Printable bytes around each, itself included.
    text_run: Vec<usize>,
    /// What each is beside a healthy reply.
    beside: Vec<Option<Beside>>,
    /// How many bytes the piece has that each stands in.
    together: Vec<usize>,
    /// Which bytes came while the host was sending.
    sending: Vec<bool>,
    /// Probabilities of causes, and of groups of them: misread, noise, echo, text.
    posterior: Vec<(Cause, f64)>,
    groups: [f64; 4],
    family: Vec<u8>,
}

impl<'a> Bytes<'a> {
    /// `posterior`: the causes as likely as they are for the whole window.
    pub fn new(window: &'a Window, posterior: &[(Cause, f64)]) -> Bytes<'a> {
        let group = |causes: &[Cause]| {
            posterior.iter().filter(|(cause, _)| causes.contains(cause)).map(|(_, p)| p).sum::<f64>()
        };
        use Cause::*;
        let groups = [
            group(&[BaudMismatch, FormatMismatch, Inverted, BitOrder]),
            group(&[NoiseGlitch, NoiseBurst, Turnaround, Floating, Break, Crosstalk]),
            group(&[Echo]),
            group(&[ApplicationRunning, DeviceReset]),
        ];
        Bytes {
            window,
            echo: echoes(window),
            text_run: text_runs(window),
            beside: beside(window),
            together: together(window),
            sending: sending(window),
            posterior: posterior.to_vec(),
            groups,
            family: single_pulse_bytes().collect(),
        }
    }

    /// The features of the event at `place` in the window.
    pub fn features(&self, place: usize) -> Evidence {
        let mut evidence = Evidence::default();
        let heard = &self.window.events[place];
        let byte = heard.event.value();
        let is = |yes: bool| f64::from(u8::from(yes));
        let told = self.window.line_errors == LineErrors::PerByte;
        let fault = heard.event.fault.filter(|fault| *fault != Fault::Overrun).is_some();
        let pulse = byte.is_none_or(|byte| self.family.contains(&byte));
        let (before, after) = self.silence(place);
        let alone = before > ALONE && after > ALONE;
        let beside = |place: Option<usize>, gap: f64| {
            gap < 2.0
                && place
                    .and_then(|p| self.window.events.get(p))
                    .is_some_and(|h| h.standing == Standing::Frame)
        };
        let healthy = beside(place.checked_sub(1), before) || beside(Some(place + 1), after);
        evidence.number("byte-fault", is(fault && told));
        evidence.number("byte-clean", is(!fault && told));
        evidence.number("byte-pulse", is(pulse));
        evidence.number("byte-alone", is(alone));
        evidence.number("byte-alone-pulse", is(alone && pulse));
        evidence.number("byte-beside-healthy", is(healthy));
        evidence.number("byte-damaged", is(heard.standing == Standing::Damaged));
        evidence.number("byte-open", is(heard.standing == Standing::Open));
        evidence.number("byte-odd", is(heard.standing == Standing::Odd));
        evidence.number("byte-in-frame", is(heard.standing == Standing::Frame));
        evidence.number("byte-echo", is(self.echo[place]));
        evidence.number("byte-text", is(self.text_run[place] >= 8));
        let [misread, noise, echo, text] = self.groups;
        evidence.number("line-misread", misread);
        evidence.number("line-noise", noise);
        evidence.number("line-echo", echo);
        evidence.number("line-text", text);
        evidence.number("noise-and-fault", noise * is(fault && told));
        evidence.number("noise-and-pulse", noise * is(pulse));
        evidence.number("noise-and-alone", noise * is(alone));
        evidence.number("noise-and-frame", noise * is(heard.standing == Standing::Frame));
        evidence.number("misread-and-fault", misread * is(fault && told));
        evidence.number("echo-and-echo", echo * is(self.echo[place]));
        let laid = self.beside[place];
        let beside = |what: Beside| is(laid == Some(what));
        evidence.number("byte-same", beside(Beside::Same));
        evidence.number("byte-other", beside(Beside::Other));
        evidence.number("byte-added", beside(Beside::Added));
        evidence.number("byte-unlike", beside(Beside::Unlike));
        let (spoilt, flagged) = self.around(place);
        evidence.number("around-spoilt", spoilt);
        evidence.number("around-flagged", flagged);
        let sending = self.sending[place];
        let bad = heard.standing.is_bad();
        evidence.number("byte-while-sending", is(sending && bad));
        let turn = self.follows_a_turn(place) && bad;
        evidence.number("byte-at-turn", is(turn));
        evidence.number("byte-only", is(alone && told && !fault));
        let cause = |cause: Cause| self.posterior.iter().find(|(c, _)| *c == cause).map_or(0.0, |(_, p)| *p);
        let added = matches!(laid, Some(Beside::Added | Beside::Unlike));
        evidence.number("floating-and-bad", cause(Cause::Floating) * is(bad));
        evidence.number("crosstalk-and-sending", cause(Cause::Crosstalk) * is(sending && bad));
        evidence.number("crosstalk-and-bad", cause(Cause::Crosstalk) * is(bad));
        evidence.number("burst-and-spoilt", cause(Cause::NoiseBurst) * spoilt);
        evidence.number("burst-and-flagged", cause(Cause::NoiseBurst) * flagged);
        evidence.number("burst-and-added", cause(Cause::NoiseBurst) * is(added));
        evidence.number("turnaround-and-turn", cause(Cause::Turnaround) * is(turn));
        evidence.number("turnaround-and-added", cause(Cause::Turnaround) * is(added));
        evidence.number("glitch-and-added", cause(Cause::NoiseGlitch) * is(added));
        let few = if bad { self.together[place] } else { usize::MAX };
        let last = after > ALONE - 1.0;
        evidence.number("piece-of-one", is(few == 1));
        evidence.number("piece-of-few", is(few <= 3));
        evidence.number("piece-pulse", is(few <= 3 && pulse));
        evidence.number("turn-pulse", is(turn && pulse));
        evidence.number("last-pulse", is(last && pulse && bad));
        evidence.number("few-and-flagged", is(few <= 3 && told && fault));
        evidence.number("noise-and-few", noise * is(few <= 3));
        evidence.number("noise-and-last", noise * is(last && bad));
        evidence.number("noise-and-added", noise * is(laid == Some(Beside::Added)));
        evidence.number("noise-and-same", noise * is(laid == Some(Beside::Same)));
        evidence.number("noise-and-bad", noise * is(bad));
        evidence.number("misread-and-bad", misread * is(bad));
        evidence
    }

    /// The part of spoilt and of flagged bytes among the nearest received ones, itself left out.
    fn around(&self, place: usize) -> (f64, f64) {
        const REACH: usize = 4;
        let events = &self.window.events;
        let near =
            (place.saturating_sub(REACH)..(place + REACH + 1).min(events.len())).filter(|at| *at != place);
        let near = near.map(|at| &events[at]).filter(|heard| heard.event.direction == Direction::Rx);
        let (mut all, mut spoilt, mut flagged) = (0.0, 0.0, 0.0);
        for heard in near {
            all += 1.0;
            spoilt += f64::from(u8::from(heard.standing.is_bad()));
            flagged += f64::from(u8::from(heard.event.fault.is_some()));
        }
        if all > 0.0 { (spoilt / all, flagged / all) } else { (0.0, 0.0) }
    }

    /// The last thing on the line was sent, and not long ago.
    fn follows_a_turn(&self, place: usize) -> bool {
        let Some(before) = place.checked_sub(1).and_then(|before| self.window.events.get(before)) else {
            return false;
        };
        let gap = self.window.events[place].event.at - before.event.at;
        before.event.direction == Direction::Tx && self.window.characters(gap) < ALONE
    }

    /// Silence before and behind, in character times.
    fn silence(&self, place: usize) -> (f64, f64) {
        let events = &self.window.events;
        let gap = |a: usize, b: usize| match (events.get(a), events.get(b)) {
            (Some(a), Some(b)) => self.window.characters(b.event.at - a.event.at),
            _ => f64::MAX,
        };
        let before = place.checked_sub(1).map_or(f64::MAX, |before| gap(before, place));
        (before, gap(place, place + 1))
    }

    /// What the event at `place` was, and how sure that is.
    pub fn verdict(&self, place: usize, model: &Model) -> (Verdict, f64) {
        let heard = &self.window.events[place];
        let features = self.features(place);
        let Some((class, probability)) =
            model.class(&features).into_iter().max_by(|a, b| a.1.total_cmp(&b.1))
        else {
            return (Verdict::Unknown, 0.0);
        };
        let verdict = match class {
            _ if probability < SURE => Verdict::Unknown,
            "missampled" => Verdict::Missampled,
            "noise" => Verdict::Noise,
            "echo" => Verdict::Echo,
            _ if self.text_run[place] >= 8 && heard.standing != Standing::Frame => Verdict::Text,
            _ => match heard.standing {
                Standing::Frame | Standing::Damaged => Verdict::Frame,
                Standing::Odd => Verdict::Status,
                Standing::Open | Standing::Unexpected => Verdict::Header,
            },
        };
        (verdict, probability)
    }
}

/// How many bytes the piece has that each event stands in.
fn together(window: &Window) -> Vec<usize> {
    let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
    window
        .events
        .iter()
        .filter_map(|heard| heard.item)
        .for_each(|item| *counts.entry(item).or_default() += 1);
    let count = |heard: &Heard| heard.item.and_then(|item| counts.get(&item).copied()).unwrap_or(usize::MAX);
    window.events.iter().map(count).collect()
}

/// Which events came while the host was sending: the next byte sent was already on its way.
fn sending(window: &Window) -> Vec<bool> {
    let length = window.settings.character_time().mul_f64(2.2) + window.uncertainty;
    let mut next: Option<Instant> = None;
    let mut sending = vec![false; window.events.len()];
    for (place, heard) in window.events.iter().enumerate().rev() {
        sending[place] = next.is_some_and(|next| next - heard.event.at < length);
        if heard.event.direction == Direction::Tx {
            next = Some(heard.event.at);
        }
    }
    sending
}

/// Which received bytes are, in order, what was sent shortly before.
pub(super) fn echoes(window: &Window) -> Vec<bool> {
    let limit = window.settings.character_time().mul_f64(12.0) + window.uncertainty;
    let mut echo = vec![false; window.events.len()];
    let received: Vec<usize> = (0..window.events.len())
        .filter(|place| {
            window.events[*place].event.direction == Direction::Rx && !in_frame(&window.events[*place])
        })
        .collect();
    let mut next = 0;
    for own in window.events.iter().filter(|heard| heard.event.direction == Direction::Tx) {
        let at = |place: usize| window.events[received[place]].event.at;
        let character = window.settings.character_time();
        let found =
            (next..received.len()).take_while(|place| at(*place) <= own.event.at + limit).find(|place| {
                window.events[received[*place]].event.value() == own.event.value()
                    && at(*place) + character >= own.event.at
            });
        if let Some(place) = found {
            echo[received[place]] = true;
            next = place + 1;
        }
    }
    echo
}

fn in_frame(heard: &Heard) -> bool {
    heard.standing == Standing::Frame
}

/// For each event the length of the run of printable received bytes that it stands in.
fn text_runs(window: &Window) -> Vec<usize> {
    let mut runs = vec![0; window.events.len()];
    let mut run: Vec<usize> = Vec::new();
    let received = (0..window.events.len()).filter(|p| window.events[*p].event.direction == Direction::Rx);
    for place in received {
        let heard = &window.events[place];
        if heard.event.value().is_some_and(is_text) && !in_frame(heard) {
            run.push(place);
            continue;
        }
        let length = run.len();
        run.drain(..).for_each(|place| runs[place] = length);
    }
    let length = run.len();
    run.into_iter().for_each(|place| runs[place] = length);
    runs
}
