//! Whether what is received is what is being sent: exactly, or damaged.

use crate::line::{Direction, Instant, Span};

use super::super::evidence::Evidence;
use super::super::window::{Heard, Standing, Window};

/// An echo comes within so many character times of its byte.
const WITHIN: f64 = 12.0;
/// Bytes that are sent no further apart than this follow each other, in character times.
const WITHOUT_PAUSE: f64 = 1.5;
/// Of so many bytes that were sent without a pause one in so many has to come back.
const SEVERAL: usize = 4;
const LEAST_PART: usize = 3;

pub fn measure(window: &Window, evidence: &mut Evidence) {
    let echoed = echoed(window);
    let sent = window.sent().filter(|heard| heard.event.value().is_some()).count();
    let echo = marked(window, &echoed);
    let counts = |heard: &Heard, echo: bool| {
        let received = heard.event.direction == Direction::Rx && heard.event.value().is_some();
        received && (echo || heard.standing != Standing::Frame)
    };
    let received: Vec<(&Heard, bool)> =
        window.events.iter().zip(echo).filter(|(heard, echo)| counts(heard, *echo)).collect();
    evidence.share("echoed", echoed.len(), sent);
    evidence.count("echo-run", longest_run(&received));
    evidence.share("echo-of-received", echoed.len(), received.len());
    // Frames too may be of the same bytes: only where none of them is anything else does nobody answer.
    let all = window.received().filter(|heard| heard.event.value().is_some()).count();
    evidence.count("nothing-but-echo", if echoed.len() == all { all } else { 0 });
    let at = |place: usize| window.events[place].event.at;
    let delays = echoed.iter().map(|(own, place)| window.characters(at(*place) - at(*own)));
    let mean = delays.sum::<f64>() / echoed.len().max(1) as f64;
    evidence.details.echo_delay = (!echoed.is_empty()).then_some(mean);
    crosstalk(window, &received, evidence);
}

/// Sent bytes that came back, each with the received one that it is, in order: both as places in the window.
///
/// A healthy frame is no echo though its bytes were sent, but where nothing else was received and not all of it was due.
fn echoed(window: &Window) -> Vec<(usize, usize)> {
    let is_due = |heard: &Heard| heard.standing == Standing::Frame;
    let received = window.received().filter(|heard| heard.event.value().is_some());
    let bytes = received.clone().count();
    if bytes <= window.sent().count() && !received.clone().all(is_due) {
        let all = echoed_but(window, |_| false);
        if all.len() == bytes {
            return all;
        }
    }
    echoed_but(window, is_due)
}

/// The same, where some of what comes while nobody sends is known for answers.
fn echoed_but(window: &Window, is_answer: impl Fn(&Heard) -> bool) -> Vec<(usize, usize)> {
    let character = window.settings.character_time();
    let limit = character.mul_f64(WITHIN) + window.uncertainty;
    let exact = window.uncertainty < character;
    let of = |direction: Direction| {
        let has = move |place: &usize| {
            let event = &window.events[*place].event;
            event.direction == direction && event.value().is_some()
        };
        (0..window.events.len()).filter(has)
    };
    let received: Vec<usize> = of(Direction::Rx).collect();
    let at = |place: usize| window.events[place].event.at;
    let sent: Vec<usize> = of(Direction::Tx).collect();
    let runs = sent.chunk_by(|a, b| window.characters(at(*b) - at(*a)) < WITHOUT_PAUSE);
    let mut next = 0;
    let mut echoed = Vec::new();
    for run in runs {
        let end = run.last().map_or(Instant::ZERO, |last| at(*last));
        // How long the echo of the byte before took, where it came while the host was still sending.
        let mut took: Option<Span> = None;
        let (begun, known) = (next, echoed.len());
        for &own in run {
            let sent = &window.events[own].event;
            // What comes back while it is sent is an echo, whatever frame it would be: an answer has to wait.
            let is_early = |at: Instant| {
                let as_before = took.is_some_and(|took| at < sent.at + took + character);
                exact && (at < sent.at + character || at < end || as_before)
            };
            let is_echo = |place: &usize| {
                let heard = &window.events[received[*place]];
                heard.event.value() == sent.value()
                    && heard.event.at + character >= sent.at
                    && (!is_answer(heard) || is_early(heard.event.at))
            };
            let near = |place: &usize| at(received[*place]) <= sent.at + limit;
            // What came before is no echo of this byte, nor of those behind it.
            while next < received.len() && at(received[next]) + character < sent.at {
                next += 1;
            }
            // In order, each received byte stands for one that was sent.
            let found = (next..received.len()).take_while(near).find(is_echo);
            if let Some(place) = found {
                echoed.push((own, received[place]));
                next = place + 1;
            }
            let late = found.map(|place| at(received[place])).filter(|at| sent.at < end && is_early(*at));
            took = late.map(|at| at.since(sent.at));
        }
        // An answer begins with the address that was asked: a byte or two of many are no echo.
        if run.len() >= SEVERAL && (echoed.len() - known) * LEAST_PART < run.len() {
            echoed.truncate(known);
            next = begun;
        }
    }
    echoed
}

/// Which events of the window are what was sent shortly before, come back.
pub fn echoes(window: &Window) -> Vec<bool> {
    marked(window, &echoed(window))
}

fn marked(window: &Window, echoed: &[(usize, usize)]) -> Vec<bool> {
    let mut echo = vec![false; window.events.len()];
    echoed.iter().for_each(|(_, place)| echo[*place] = true);
    echo
}

fn longest_run(received: &[(&Heard, bool)]) -> usize {
    received.split(|(_, echo)| !echo).map(<[_]>::len).max().unwrap_or(0)
}

/// Unexplained bytes that came while the host was sending, and are no echo.
fn crosstalk(window: &Window, received: &[(&Heard, bool)], evidence: &mut Evidence) {
    let character = window.settings.character_time();
    let sending = sending_times(window);
    let during = |at: Instant| {
        let from = at.saturating_sub(character);
        let next = sending.partition_point(|(_, to)| *to + window.uncertainty < from);
        sending.get(next).is_some_and(|(begin, _)| *begin <= at)
    };
    let bad = || received.iter().filter(|(heard, _)| heard.standing.is_bad());
    let overlapping = bad().filter(|(heard, echo)| !echo && during(heard.event.at)).count();
    let bad = bad().count();
    evidence.share("while-sending", overlapping, bad);
    // How much of the time is sending: by chance so many would overlap.
    let busy: f64 = sending.iter().map(|(from, to)| (*to - *from).as_secs_f64()).sum();
    let whole = window.span().as_secs_f64().max(1e-9);
    let chance = (busy / whole).clamp(0.01, 0.99);
    let rest = bad - overlapping;
    let log = overlapping as f64 * (0.9 / chance).ln() + rest as f64 * (0.1 / (1.0 - chance)).ln();
    evidence.ratio("while-sending-only", log, overlapping, bad);
}

/// Stretches in which the host was sending.
fn sending_times(window: &Window) -> Vec<(Instant, Instant)> {
    let character = window.settings.character_time();
    let mut times: Vec<(Instant, Instant)> = Vec::new();
    for heard in window.events.iter().filter(|heard| heard.event.direction == Direction::Tx) {
        let (from, to) = (heard.event.at.saturating_sub(character), heard.event.at);
        match times.last_mut() {
            Some(last) if from <= last.1 + character => last.1 = to,
            _ => times.push((from, to)),
        }
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::Journal;
    use crate::diagnose::measure::said::frame;
    use crate::line::{Baud, Format, LineErrors, LineEvent, Settings};
    use crate::machine::Part;

    const BYTES: [u8; 4] = [0x41, 0x54, 0x0D, 0x0A];

    fn settings() -> Settings {
        Settings::new(Baud::nearest(9600.0), Format::N8)
    }

    fn at(characters: f64) -> Instant {
        Instant::ZERO + settings().character_time().mul_f64(characters)
    }

    /// Pieces whose first byte is in after so many character times.
    fn heard(said: &[(f64, Direction, &[u8])]) -> Journal {
        let mut events: Vec<LineEvent> = Vec::new();
        for (from, direction, bytes) in said {
            let bytes = bytes.iter().enumerate();
            events.extend(bytes.map(|(n, byte)| LineEvent::byte(at(from + n as f64), *direction, *byte)));
        }
        events.sort_by_key(|event| event.at);
        let mut journal = Journal::new(settings(), LineErrors::PerByte, Span::ZERO, false);
        events.iter().for_each(|event| journal.on_event(event));
        journal
    }

    /// How much of what was sent is taken for echo, where the same bytes are received so many character times later, as a healthy frame.
    fn found(later: f64) -> usize {
        let mut journal = heard(&[(1.0, Direction::Tx, &BYTES), (1.0 + later, Direction::Rx, &BYTES)]);
        journal.on_item(frame(Direction::Rx, (at(1.0 + later), at(4.0 + later)), &BYTES, Part::Expected));
        echoed(&journal.window()).len()
    }

    #[test]
    fn an_answer_that_begins_like_its_question_is_no_echo() {
        let question = [0x01, 0x03, 0x00, 0x00, 0x00, 0x0A, 0xC5, 0xCD];
        let refusal = [0x01, 0x83, 0x02, 0xC0, 0xF1];
        let said: [(f64, Direction, &[u8]); 2] =
            [(1.0, Direction::Tx, &question), (12.5, Direction::Rx, &refusal)];
        assert_eq!(echoed(&heard(&said).window()), []);
    }

    #[test]
    fn where_nothing_else_is_received_and_not_all_was_due_a_healthy_frame_is_an_echo() {
        let said = |second: Part| {
            let of = |from: f64, direction| (from, direction, &BYTES[..]);
            let mut journal = heard(&[
                of(1.0, Direction::Tx),
                of(10.0, Direction::Rx),
                of(50.0, Direction::Tx),
                of(59.0, Direction::Rx),
            ]);
            journal.on_item(frame(Direction::Rx, (at(10.0), at(13.0)), &BYTES, Part::Expected));
            journal.on_item(frame(Direction::Rx, (at(59.0), at(62.0)), &BYTES, second));
            echoed(&journal.window()).len()
        };
        assert_eq!([said(Part::Expected), said(Part::Repeat)], [0, 8]);
    }

    #[test]
    fn a_frame_that_comes_back_while_it_is_sent_is_an_echo_and_one_that_comes_behind_it_an_answer() {
        assert_eq!([found(0.05), found(1.4), found(2.5)], [4, 4, 4]);
        assert_eq!([found(5.5), found(9.0)], [0, 0]);
    }
}
