//! What is measured of each received byte, for the verdict on it: what it is itself, what stands around it, what the frames of the table and the
//! healthy replies say of it, and what the whole line suffers from.

use std::collections::BTreeMap;

use crate::line::{Direction, Fault, Instant, LineErrors};
use crate::machine::{PieceKind, Vocabulary};
use crate::wire::single_pulse_bytes;

use super::cause::Cause;
use super::evidence::Evidence;
use super::measure::{Beside, Place, beside, echoes, follows_a_turn, is_at_an_edge, pieces, places};
use super::window::{Heard, Standing, Window, is_text};

/// Silence around a byte that stands alone, in character times.
const ALONE: f64 = 4.5;
/// So many printable bytes in a row are text.
const TEXT: usize = 8;

/// What a fact about a byte is worth depends on what the line suffers from: noise, wrong settings, bursts, turns. The names of the products.
const BY_LINE: [[&str; 4]; FACTS] = [
    ["noise-whole", "misread-whole", "burst-whole", "turn-whole"],
    ["noise-cut", "misread-cut", "burst-cut", "turn-cut"],
    ["noise-faulty", "misread-faulty", "burst-faulty", "turn-faulty"],
    ["noise-strange", "misread-strange", "burst-strange", "turn-strange"],
    ["noise-clean", "misread-clean", "burst-clean", "turn-clean"],
    ["noise-before", "misread-before", "burst-before", "turn-before"],
    ["noise-behind", "misread-behind", "burst-behind", "turn-behind"],
    ["noise-between", "misread-between", "burst-between", "turn-between"],
    ["noise-flagged", "misread-flagged", "burst-fault", "turn-flagged"],
    ["noise-alone-pulse", "misread-alone-pulse", "burst-alone-pulse", "turn-alone-pulse"],
    ["noise-edge-pulse", "misread-edge-pulse", "burst-edge-pulse", "turn-edge-pulse"],
    ["noise-same", "misread-same", "burst-same", "turn-same"],
    ["noise-other", "misread-other", "burst-other", "turn-other"],
    ["noise-answer", "misread-answer", "burst-answer", "turn-answer"],
    ["noise-turn-pulse", "misread-turn-pulse", "burst-turn-pulse", "turn-turn-pulse"],
];
const FACTS: usize = 15;

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
    /// Where each stands in its run.
    places: Vec<Place>,
    /// What each is part of by the table's frames alone.
    pieces: Vec<Option<PieceKind>>,
    /// Which bytes are whole answers of the device.
    answers: [bool; 256],
    /// Which bytes came while the host was sending.
    sending: Vec<bool>,
    /// Probabilities of causes, and of groups of them: misread, noise, echo, text.
    posterior: Vec<(Cause, f64)>,
    groups: [f64; 4],
    family: Vec<u8>,
}

impl<'a> Bytes<'a> {
    /// `posterior`: the causes as likely as they are for the whole window.
    pub fn new(window: &'a Window, vocabulary: &Vocabulary, posterior: &[(Cause, f64)]) -> Bytes<'a> {
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
            places: places(window),
            pieces: pieces(vocabulary, window),
            answers: vocabulary.single_bytes((!window.shared).then_some(Direction::Rx)),
            sending: sending(window),
            posterior: posterior.to_vec(),
            groups,
            family: single_pulse_bytes().collect(),
        }
    }

    pub(super) fn heard(&self, place: usize) -> &'a Heard {
        &self.window.events[place]
    }

    pub(super) fn is_in_text(&self, place: usize) -> bool {
        self.text_run[place] >= TEXT
    }

    /// The features of the event at `place` in the window.
    pub fn features(&self, place: usize) -> Evidence {
        let mut evidence = Evidence::default();
        let byte = self.byte(place);
        self.itself(&byte, &mut evidence);
        self.by_cause(&byte, &mut evidence);
        self.in_its_piece(&byte, &mut evidence);
        self.in_its_run(&byte, &mut evidence);
        self.by_the_table(&byte, &mut evidence);
        evidence
    }

    fn byte(&self, place: usize) -> Byte {
        let heard = self.heard(place);
        let value = heard.event.value();
        let told = self.window.line_errors == LineErrors::PerByte;
        let fault = heard.event.fault.is_some_and(|fault| fault != Fault::Overrun);
        let bad = heard.standing.is_bad();
        let (before, after) = self.silence(place);
        let laid = self.beside[place];
        Byte {
            place,
            value,
            standing: heard.standing,
            bad,
            told,
            flagged: fault && told,
            pulse: value.is_none_or(|byte| self.family.contains(&byte)),
            before,
            after,
            alone: before > ALONE && after > ALONE,
            turn: bad && follows_a_turn(self.window, place),
            laid,
            added: matches!(laid, Some(Beside::Added | Beside::Unlike)),
        }
    }

    /// What it is, how it stands and what it is beside a healthy reply.
    fn itself(&self, byte: &Byte, evidence: &mut Evidence) {
        let near = |place: Option<usize>, gap: f64| {
            let heard = place.and_then(|place| self.window.events.get(place));
            gap < 2.0 && heard.is_some_and(|heard| heard.standing == Standing::Frame)
        };
        let healthy = near(byte.place.checked_sub(1), byte.before) || near(Some(byte.place + 1), byte.after);
        evidence.number("byte-fault", is(byte.flagged));
        evidence.number("byte-clean", is(byte.told && !byte.flagged));
        evidence.number("byte-pulse", is(byte.pulse));
        evidence.number("byte-alone", is(byte.alone));
        evidence.number("byte-alone-pulse", is(byte.alone && byte.pulse));
        evidence.number("byte-only", is(byte.alone && byte.told && !byte.flagged));
        evidence.number("byte-beside-healthy", is(healthy));
        evidence.number("byte-damaged", is(byte.standing == Standing::Damaged));
        evidence.number("byte-open", is(byte.standing == Standing::Open));
        evidence.number("byte-odd", is(byte.standing == Standing::Odd));
        evidence.number("byte-in-frame", is(byte.standing == Standing::Frame));
        evidence.number("byte-echo", is(self.echo[byte.place]));
        evidence.number("byte-text", is(self.is_in_text(byte.place)));
        evidence.number("byte-same", is(byte.laid == Some(Beside::Same)));
        evidence.number("byte-other", is(byte.laid == Some(Beside::Other)));
        evidence.number("byte-added", is(byte.laid == Some(Beside::Added)));
        evidence.number("byte-unlike", is(byte.laid == Some(Beside::Unlike)));
        evidence.number("byte-while-sending", is(self.sending[byte.place] && byte.bad));
        evidence.number("byte-at-turn", is(byte.turn));
    }

    /// What the line suffers from, and what the byte is worth then.
    fn by_cause(&self, byte: &Byte, evidence: &mut Evidence) {
        let [misread, noise, echo, text] = self.groups;
        let sending = self.sending[byte.place] && byte.bad;
        let (spoilt, flagged) = self.around(byte.place);
        evidence.number("around-spoilt", spoilt);
        evidence.number("around-flagged", flagged);
        evidence.number("line-misread", misread);
        evidence.number("line-noise", noise);
        evidence.number("line-echo", echo);
        evidence.number("line-text", text);
        evidence.number("noise-and-pulse", noise * is(byte.pulse));
        evidence.number("noise-and-alone", noise * is(byte.alone));
        evidence.number("noise-and-frame", noise * is(byte.standing == Standing::Frame));
        evidence.number("noise-and-added", noise * is(byte.laid == Some(Beside::Added)));
        evidence.number("noise-and-bad", noise * is(byte.bad));
        evidence.number("misread-and-bad", misread * is(byte.bad));
        evidence.number("echo-and-echo", echo * is(self.echo[byte.place]));
        evidence.number("floating-and-bad", self.likely(Cause::Floating) * is(byte.bad));
        evidence.number("crosstalk-and-sending", self.likely(Cause::Crosstalk) * is(sending));
        evidence.number("crosstalk-and-bad", self.likely(Cause::Crosstalk) * is(byte.bad));
        evidence.number("burst-and-spoilt", self.likely(Cause::NoiseBurst) * spoilt);
        evidence.number("burst-and-flagged", self.likely(Cause::NoiseBurst) * flagged);
        evidence.number("burst-and-added", self.likely(Cause::NoiseBurst) * is(byte.added));
        evidence.number("turnaround-and-turn", self.likely(Cause::Turnaround) * is(byte.turn));
        evidence.number("turnaround-and-added", self.likely(Cause::Turnaround) * is(byte.added));
        evidence.number("glitch-and-added", self.likely(Cause::NoiseGlitch) * is(byte.added));
    }

    /// How long the item is that it stands in, where that is none of the conversation's.
    fn in_its_piece(&self, byte: &Byte, evidence: &mut Evidence) {
        let [_, noise, ..] = self.groups;
        let size = if byte.bad { self.together[byte.place] } else { usize::MAX };
        let (few, last) = (size <= 3, byte.bad && byte.after > ALONE - 1.0);
        evidence.number("piece-of-one", is(size == 1));
        evidence.number("piece-of-few", is(few));
        evidence.number("piece-pulse", is(few && byte.pulse));
        evidence.number("turn-pulse", is(byte.turn && byte.pulse));
        evidence.number("last-pulse", is(last && byte.pulse));
        evidence.number("few-and-flagged", is(few && byte.flagged));
        evidence.number("noise-and-few", noise * is(few));
        evidence.number("noise-and-last", noise * is(last));
    }

    /// Where it stands among the bytes that came one after the other, and what was reported of those.
    fn in_its_run(&self, byte: &Byte, evidence: &mut Evidence) {
        let [misread, ..] = self.groups;
        let place = self.places[byte.place];
        let (clean, [before, behind]) = self.reported(byte);
        evidence.number("clean-run", clean);
        evidence.number("clean-bad", clean * is(byte.bad));
        evidence.number("flagged-before", before);
        evidence.number("flagged-behind", behind);
        evidence.number("flagged-between", before.min(behind));
        evidence.number("run-of-one", is(place.run == 1));
        evidence.number("run-of-few", is(place.run <= 3));
        evidence.number("run-first", is(place.at == 0));
        evidence.number("run-last", is(place.at + 1 == place.run));
        evidence.number("one-and-misread", is(place.run == 1) * misread);
        evidence.number("few-and-misread", is(place.run <= 3) * misread);
        evidence.number("one-pulse-alone", is(place.run == 1 && byte.pulse && byte.bad));
    }

    /// What the frames of the table say of it, and what that is worth by what the line suffers from.
    fn by_the_table(&self, byte: &Byte, evidence: &mut Evidence) {
        let piece = |kind: PieceKind| self.pieces[byte.place] == Some(kind);
        let (clean, [before, behind]) = self.reported(byte);
        let strange = piece(PieceKind::Strange);
        let at_an_edge = is_at_an_edge(&self.pieces, byte.place);
        let answer = byte.value.is_some_and(|byte| self.answers[usize::from(byte)]);
        let single = self.places[byte.place].run == 1;
        evidence.number("piece-whole", is(piece(PieceKind::Whole)));
        evidence.number("piece-cut", is(piece(PieceKind::Cut)));
        evidence.number("piece-broken", is(piece(PieceKind::Broken)));
        evidence.number("piece-faulty", is(piece(PieceKind::Faulty)));
        evidence.number("piece-strange", is(strange));
        evidence.number("strange-pulse", is(strange && byte.pulse));
        evidence.number("pulse-beside-piece", is(at_an_edge && byte.pulse));
        evidence.number("strange-beside-piece", is(at_an_edge));
        evidence.number("strange-at-turn", is(byte.turn && strange));
        evidence.number("strange-pulse-at-turn", is(byte.turn && strange && byte.pulse));
        evidence.number("strange-and-clean", clean * is(strange));
        evidence.number("answer-alone", is(answer && single));
        evidence.number("answer-bad", is(answer && byte.bad));
        evidence.number("faulty-and-fault", is(piece(PieceKind::Faulty) && byte.flagged));
        let facts: [f64; FACTS] = [
            is(piece(PieceKind::Whole)),
            is(piece(PieceKind::Cut) || piece(PieceKind::Broken)),
            is(piece(PieceKind::Faulty)),
            is(strange),
            clean,
            before,
            behind,
            before.min(behind),
            is(byte.flagged),
            is(single && byte.pulse && byte.bad),
            is(at_an_edge && byte.pulse),
            is(byte.laid == Some(Beside::Same)),
            is(byte.laid == Some(Beside::Other)),
            is(answer && single),
            is(byte.turn && strange && byte.pulse),
        ];
        let [misread, noise, ..] = self.groups;
        let line = [noise, misread, self.likely(Cause::NoiseBurst), self.likely(Cause::Turnaround)];
        for (names, fact) in BY_LINE.into_iter().zip(facts) {
            names.into_iter().zip(line).for_each(|(name, likely)| evidence.number(name, likely * fact));
        }
    }

    /// How long nothing was reported around it, and the part of its neighbours of which something was; 0 where errors are not told.
    fn reported(&self, byte: &Byte) -> (f64, [f64; 2]) {
        let place = self.places[byte.place];
        if byte.told { ((place.clean as f64).ln_1p(), place.flagged) } else { (0.0, [0.0; 2]) }
    }

    /// How likely it is that a cause acts.
    fn likely(&self, cause: Cause) -> f64 {
        self.posterior.iter().find(|(other, _)| *other == cause).map_or(0.0, |(_, p)| *p)
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
}

/// What is known of one byte.
struct Byte {
    place: usize,
    value: Option<u8>,
    standing: Standing,
    /// The conversation has no explanation for it.
    bad: bool,
    /// The adapter tells which bytes had a line error...
    told: bool,
    /// ... and this one had.
    flagged: bool,
    pulse: bool,
    /// Silence before and behind, in character times.
    before: f64,
    after: f64,
    alone: bool,
    /// It came right behind what was sent, and is unexplained.
    turn: bool,
    /// What it is beside a healthy reply, and whether it was added to one or is like none.
    laid: Option<Beside>,
    added: bool,
}

fn is(yes: bool) -> f64 {
    f64::from(u8::from(yes))
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
