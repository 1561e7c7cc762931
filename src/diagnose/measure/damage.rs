//! Where a conversation was hurt: how many bytes in a row; where a reply begins, inside it, behind it, or while nobody speaks; and whether the
//! beginning of a reply is all that it lacks.

use crate::line::{Direction, Seen};
use crate::machine::{PieceKind, Vocabulary};

use super::super::evidence::Evidence;
use super::super::window::Window;
use super::line::is_fault;
use super::replies::{Beside, Received, Reply, beside};
use super::surroundings::pieces;

/// Bytes this near follow each other, in character times.
const NEAR: f64 = 2.5;
/// A silence is a pause from so many character times on.
const PAUSE: f64 = 4.0;
/// Spoilt replies whose beginnings are mended, the newest ones, beginnings that are tried, and how long they are.
const MOST_MENDED: usize = 8;
const MOST_HEADS: usize = 2;
const HEAD: usize = 4;
/// So many bytes in a row are long.
const LONG: usize = 4;

/// What an event is for the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    Sent,
    /// Of a frame, whole or in part.
    Framed,
    Hurt,
    /// Nothing that counts.
    Nothing,
}

/// Bytes in a row that were hurt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    bytes: usize,
    /// A byte of a frame is right before it, right behind it.
    behind_frame: bool,
    before_frame: bool,
}

/// What was found of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    runs: Vec<Run>,
    /// Replies that are whole once their beginning is set right, and those that were tried.
    mended: (usize, usize),
    /// Of pauses before a reply and of those behind one, how many have bytes in them, and all.
    before_replies: (usize, usize),
    behind_replies: (usize, usize),
    /// Bytes in all noisy pauses.
    in_pauses: usize,
    held: Held,
}

/// What a line that is held is read as, where a healthy reply has something else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Held {
    low: usize,
    high: usize,
    /// Bytes that nothing explains.
    of: usize,
}

impl Held {
    fn of(window: &Window, beside: &[Option<Beside>]) -> Held {
        let received =
            window.events.iter().zip(beside).filter(|(heard, _)| heard.event.direction == Direction::Rx);
        let bad = received.filter(|(heard, _)| heard.standing.is_bad());
        let mut held = Held::default();
        for (heard, beside) in bad {
            held.of += 1;
            match heard.event.value().unwrap_or(0) {
                _ if *beside == Some(Beside::Same) => {}
                0 => held.low += 1,
                0xFF => held.high += 1,
                _ => {}
            }
        }
        held
    }
}

impl Damage {
    pub fn of(vocabulary: &Vocabulary, window: &Window) -> Damage {
        let mut pieces = pieces(vocabulary, window);
        let mended = mend(vocabulary, window, &mut pieces);
        let beside = beside(window);
        let all = kinds(window, &pieces, &beside);
        let held = Held::of(window, &beside);
        let mut damage = Damage { runs: runs(window, &all), mended, held, ..Damage::default() };
        damage.pauses(window, &all);
        damage
    }

    fn pauses(&mut self, window: &Window, all: &[Is]) {
        let mut anchor: Option<usize> = None;
        for (place, is) in all.iter().enumerate().filter(|(_, is)| matches!(is, Is::Sent | Is::Framed)) {
            let before = anchor.replace(place);
            let Some(before) = before else { continue };
            let gap = window.events[place].event.at - window.events[before].event.at;
            if window.characters(gap.saturating_sub(window.uncertainty)) < PAUSE {
                continue;
            }
            let noise = all[before + 1..place].iter().filter(|is| **is == Is::Hurt).count();
            let pauses = match (all[before], is) {
                (Is::Sent, Is::Framed) => &mut self.before_replies,
                (Is::Framed, Is::Sent) => &mut self.behind_replies,
                _ => continue,
            };
            pauses.0 += usize::from(noise > 0);
            pauses.1 += 1;
            self.in_pauses += noise;
        }
    }
}

pub fn measure(damage: &Damage, evidence: &mut Evidence) {
    let runs = &damage.runs;
    let of = |wanted: fn(&Run) -> bool| runs.iter().filter(|run| wanted(run)).count();
    let bytes: usize = runs.iter().map(|run| run.bytes).sum();
    evidence.share("unexplained-00", damage.held.low, damage.held.of);
    evidence.share("unexplained-ff", damage.held.high, damage.held.of);
    evidence.count("hurts", runs.len());
    evidence.number("hurt-size", (bytes as f64 / runs.len().max(1) as f64).max(1.0).ln());
    evidence.share("hurt-single", of(|run| run.bytes == 1), runs.len());
    evidence.share("hurt-long", of(|run| run.bytes >= LONG), runs.len());
    evidence.share("hurt-inside", of(|run| run.behind_frame && run.before_frame), runs.len());
    evidence.share("hurt-begin", of(|run| !run.behind_frame && run.before_frame), runs.len());
    evidence.share("hurt-end", of(|run| run.behind_frame && !run.before_frame), runs.len());
    evidence.share("hurt-apart", of(|run| !run.behind_frame && !run.before_frame), runs.len());
    evidence.share("heads-mended", damage.mended.0, damage.mended.1);
    evidence.share("noisy-before-replies", damage.before_replies.0, damage.before_replies.1);
    evidence.share("noisy-behind-replies", damage.behind_replies.0, damage.behind_replies.1);
    let noisy = damage.before_replies.0 + damage.behind_replies.0;
    let mean = if noisy == 0 { 0.0 } else { damage.in_pauses as f64 / noisy as f64 };
    evidence.number("noise-of-pauses", (1.0 + mean).ln() / 2.0);
}

fn kinds(window: &Window, pieces: &[Option<PieceKind>], beside: &[Option<Beside>]) -> Vec<Is> {
    let kind = |place: usize| {
        let heard = &window.events[place];
        let changed = matches!(beside[place], Some(Beside::Other | Beside::Added));
        match (heard.event.direction, heard.event.seen) {
            (_, Seen::Marker) => Is::Nothing,
            (Direction::Tx, _) => Is::Sent,
            (_, Seen::Break) => Is::Hurt,
            _ if is_fault(heard) => Is::Hurt,
            _ if heard.standing.is_healthy() => Is::Framed,
            _ if changed || pieces[place] == Some(PieceKind::Strange) => Is::Hurt,
            _ if pieces[place].is_some() => Is::Framed,
            _ => Is::Nothing,
        }
    };
    (0..window.events.len()).map(kind).collect()
}

fn runs(window: &Window, all: &[Is]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    // The received event before: its place and what it is.
    let mut last: Option<usize> = None;
    for (place, is) in all.iter().enumerate().filter(|(_, is)| matches!(is, Is::Framed | Is::Hurt)) {
        let near = last.filter(|last| {
            let gap = window.events[place].event.at - window.events[*last].event.at;
            window.characters(gap.saturating_sub(window.uncertainty)) < NEAR
        });
        let before = near.map(|near| all[near]);
        match (is, before, runs.last_mut()) {
            (Is::Hurt, Some(Is::Hurt), Some(run)) => run.bytes += 1,
            (Is::Hurt, ..) => {
                let behind_frame = before == Some(Is::Framed);
                runs.push(Run { bytes: 1, behind_frame, before_frame: false });
            }
            (Is::Framed, Some(Is::Hurt), Some(run)) => run.before_frame = true,
            _ => {}
        }
        last = Some(place);
    }
    runs
}

/// Sets the beginnings of spoilt replies right where that makes them whole, and marks what is of a frame then.
fn mend(vocabulary: &Vocabulary, window: &Window, pieces: &mut [Option<PieceKind>]) -> (usize, usize) {
    let received = Received::of(window);
    let replies = received.replies();
    let mut healthy: Vec<Vec<u8>> = Vec::new();
    for reply in replies.iter().rev().filter(|reply| reply.is_healthy()) {
        let head: Vec<u8> = reply.bytes().into_iter().take(HEAD).collect();
        if head.len() == HEAD && healthy.len() < MOST_HEADS && !healthy.contains(&head) {
            healthy.push(head);
        }
    }
    let from = (!window.shared).then_some(Direction::Rx);
    let is_headless = |reply: &&Reply<'_>| {
        !reply.is_healthy() && reply.places.len() > 2 && pieces[reply.places[0]] == Some(PieceKind::Strange)
    };
    let tried: Vec<&Reply<'_>> = replies.iter().rev().filter(is_headless).take(MOST_MENDED).collect();
    let mut mended = 0;
    for reply in &tried {
        let bytes = reply.bytes();
        // A reply often begins as its question does.
        let asked = question(window, reply.places[0]);
        let heads = healthy.iter().chain(&asked);
        let mut ways = heads.flat_map(|head| beginnings(&bytes, head));
        let Some((hurt, _)) = ways.find(|(_, bytes)| vocabulary.begin_whole(bytes, from)) else { continue };
        mended += 1;
        reply.places[hurt..].iter().for_each(|place| pieces[*place] = Some(PieceKind::Whole));
    }
    (mended, tried.len())
}

/// How the last thing that was sent before this event begins.
fn question(window: &Window, place: usize) -> Option<Vec<u8>> {
    let sent = |place: usize| window.events[place].event.direction == Direction::Tx;
    let last = (0..place).rev().find(|place| sent(*place))?;
    let first = (0..=last).rev().take_while(|at| {
        let gap = window.events[last].event.at - window.events[*at].event.at;
        sent(*at) && window.characters(gap) < 2.0 * (last - at) as f64 + NEAR
    });
    let first = first.last()?;
    let head: Vec<u8> = (first..=last).take(HEAD).filter_map(|at| window.events[at].event.value()).collect();
    (head.len() == HEAD).then_some(head)
}

/// The bytes with a part of this beginning in place of so many of their own.
fn beginnings(bytes: &[u8], head: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    let most = HEAD.min(bytes.len() - 1);
    (0..=most).flat_map(move |wrong| {
        (1..=head.len()).map(move |right| (wrong, [&head[..right], &bytes[wrong..]].concat()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::measure::said;
    use crate::diagnose::window::Standing;
    use crate::line::Format;
    use crate::machine::meter::{READING, meter};
    use std::sync::Arc;

    /// What is found where these are said, with silence before each; bytes of `flagged` have a line error.
    fn found(said: &[(Direction, &[u8])], flagged: u8) -> Damage {
        let program = Arc::new(meter());
        let window = said::window(program.table().line.format, said, |_, _, byte| byte == flagged);
        Damage::of(&Vocabulary::of(&program), &window)
    }

    const ASKED: (Direction, &[u8]) = (Direction::Tx, &[0x3F]);

    #[test]
    fn damage_is_told_by_where_it_is() {
        let mut inside = READING;
        inside[3] = 0x43;
        let begin = [&[0x43][..], &READING].concat();
        let said =
            [ASKED, (Direction::Rx, &inside), ASKED, (Direction::Rx, &begin), (Direction::Rx, &[0x43, 0x43])];
        let run = |bytes, behind_frame, before_frame| Run { bytes, behind_frame, before_frame };
        let damage = found(&said, 0x43);
        assert_eq!(damage.runs, [run(1, true, true), run(1, false, true), run(2, false, false)]);
    }

    #[test]
    fn bytes_in_pauses_are_counted_by_what_follows() {
        let noise: (Direction, &[u8]) = (Direction::Rx, &[0xE7, 0x91]);
        let reading: (Direction, &[u8]) = (Direction::Rx, &READING);
        let damage = found(&[ASKED, noise, reading, ASKED, reading, noise, ASKED], 0xE7);
        assert_eq!((damage.before_replies, damage.behind_replies), ((1, 2), (1, 2)));
        assert_eq!(damage.in_pauses, 4);
    }

    #[test]
    fn a_reply_whose_beginning_is_wrong_is_whole_once_it_is_set_right() {
        let asked: (Direction, &[u8]) = (Direction::Tx, &READING[..4]);
        let wrong = [&[0xF4][..], &READING[1..]].concat();
        let lost = [&[0xF4][..], &READING[3..]].concat();
        let another = [&[0xF4][..], &READING[1..5], &[0x17]].concat();
        let damage = found(&[asked, (Direction::Rx, &wrong), asked, (Direction::Rx, &lost)], 0);
        assert_eq!(damage.mended, (2, 2));
        assert_eq!(damage.runs.iter().map(|run| run.bytes).collect::<Vec<_>>(), [1, 1]);
        assert_eq!(found(&[asked, (Direction::Rx, &another)], 0).mended, (0, 1));
    }

    #[test]
    fn a_zero_that_a_healthy_reply_has_as_well_is_no_line_held_low() {
        let healthy = [0x10, 0x00, 0x32, 0x43, 0x54, 0x65];
        let spoilt = [0x10, 0x00, 0x32, 0x00, 0x54, 0x65];
        let said: [(Direction, &[u8]); 2] = [(Direction::Rx, &healthy), (Direction::Rx, &spoilt)];
        let mut window = said::window(Format::N8, &said, |_, _, _| false);
        for (place, heard) in window.events.iter_mut().enumerate() {
            heard.standing = if place < healthy.len() { Standing::Frame } else { Standing::Damaged };
        }
        let mut evidence = Evidence::default();
        measure(&Damage::of(&Vocabulary::of(&Arc::new(meter())), &window), &mut evidence);
        let zeros = evidence.features.iter().find(|feature| feature.name == "unexplained-00");
        assert_eq!(zeros.map(|zeros| (zeros.count, zeros.of)), Some((1, 6)));
    }
}
