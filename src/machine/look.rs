//! What the bytes at the front of a side can be: nothing changes here, a follower only makes up its mind.

use crate::frame::{Fit, Outcome, Reading, Values};
use crate::line::Direction;
use crate::protocol::FrameId;

use super::beside::Beside;
use super::follower::{Channel, Follower, PATIENCE};
use super::hear::{Accepted, Offer};
use super::needed::Needed;
use super::thread::Thread;
use super::waiting::Closing;

/// A frame worth so many bits is believed wherever it stands.
const STRONG: f64 = 24.0;

/// A damaged frame must still be worth so many bits beside its fault, or it is just other bytes.
const STILL_A_FRAME: f64 = 12.0;

/// A frame of fewer bits is what almost any bytes are.
pub(super) const SAYS_SOMETHING: f64 = 8.0;

/// After a silence of so many characters something new begins.
const PAUSE: u32 = 20;

/// A frame of so many bytes does not end where the bytes end by chance.
const LONG_ENOUGH: usize = 8;

/// What the bytes at the front are.
pub(super) enum Found {
    /// What is due. `anew`: the host has given up what it was at.
    Expected {
        accepted: Accepted,
        threads: Vec<Thread>,
        anew: bool,
    },
    /// That side's last frame once more.
    Repeat {
        len: usize,
        direction: Direction,
    },
    /// What may come beside what is due.
    Beside(Beside),
    /// What is due, with a fault.
    Damaged {
        thread: Box<Thread>,
        reading: Reading,
        /// Nothing is wrong with it but a value that is not the one that was known.
        foreign: bool,
    },
    /// A frame of the table out of its place.
    Joined {
        frame: FrameId,
        direction: Direction,
        reading: Reading,
    },
    /// A stray byte that the table knows of.
    Skip,
    /// So many more bytes are needed; `None`: silence is.
    More(Option<usize>),
    Nothing,
}

/// Whether what is due is believed behind strange bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doubt {
    None,
    /// It is believed where the bytes end: strange ones seldom end as a frame does.
    UntilSilence,
    Remains,
}

impl Follower {
    /// What the bytes at the front of a side are.
    pub fn look(&self, channel: usize, closing: Closing) -> Found {
        let heap = &self.channels[channel].heap;
        let bytes = heap.bytes();
        let strange = self.is_astray(channel);
        let offer = Offer::of(self.ground(), bytes, closing.closed(), self.from(channel));
        let offer = Offer { quick: true, strange, ruled_out: Some(heap.ruled_out()), ..offer };
        if self.placed
            && !strange
            && closing == Closing::No
            && let Some(more) = self.lacking(&offer)
        {
            return Found::More(Some(more));
        }
        if strange && !self.program.begins_something(bytes[0]) {
            return if self.program.table.line.skip.contains(&bytes[0]) {
                Found::Skip
            } else {
                Found::Nothing
            };
        }
        let mut needed = Needed::default();
        let answers = self.offer_to(&offer, &self.threads);
        if let Some(more) = answers.more.0 {
            needed.by(more);
        }
        let doubt = match &answers.accepted_frame {
            Some(accepted) if strange => self.doubt(accepted, heap.len(), closing),
            _ => Doubt::None,
        };
        if doubt == Doubt::UntilSilence {
            return Found::More(Some(1));
        }
        if let Some(accepted) = answers.accepted_frame.filter(|_| doubt == Doubt::None) {
            // At rest, what says more about the bytes is what they are: a particular sentence rather than any; of equals what was begun goes on.
            let worth = self.worth(accepted.frame, &accepted.values, accepted.len);
            if !self.program.special_cases_of(accepted.frame).is_empty()
                && let Some(special) = self.special_case(&offer, &accepted)
            {
                return Found::Beside(special);
            }
            let rests = self.threads.first().is_some_and(|first| first.rested);
            let beside = self.unsolicited(&offer, &mut Needed::default()).filter(|_| rests);
            return match beside {
                Some(beside) if self.worth(beside.frame, &beside.values, beside.len) >= worth => {
                    Found::Beside(beside)
                }
                _ => Found::Expected { accepted, threads: answers.accepted, anew: false },
            };
        }
        if self.placed && needed.0.is_some() && closing != Closing::Yes {
            return Found::More(needed.0); // what is due comes before what may come beside it
        }
        if !strange && let Some(found) = self.beside(&offer, &mut needed) {
            return found;
        }
        if needed.0.is_none()
            && let Some(found) = self.anew(&offer, closing, &mut needed)
        {
            return found;
        }
        if needed.0.is_some() && closing != Closing::Yes {
            return Found::More(needed.0);
        }
        if self.program.table.line.skip.contains(&bytes[0]) {
            return Found::Skip;
        }
        // Who joins in the middle takes a healthy frame that could come later for what it is, and not for a damaged one that could come now.
        let joined = (!self.placed).then(|| self.join(&offer, closing, strange));
        if let Some(Some(found @ Found::Joined { .. })) = joined {
            return found;
        }
        if !strange && let Some(found) = self.damaged(&offer, closing) {
            return found;
        }
        joined.unwrap_or_else(|| self.join(&offer, closing, strange)).unwrap_or(Found::Nothing)
    }

    /// How many more bytes what is due needs, where a glance tells that nobody has to be asked.
    fn lacking(&self, offer: &Offer<'_>) -> Option<usize> {
        let program = &*self.program;
        let mut needed = Needed::default();
        for thread in &self.threads {
            if thread.pc == program.rest {
                let listening = program.openings.of(program, self.unheard());
                let rests = listening.resting(program, offer.from, thread.states);
                if let (Some(rests), [byte], [_]) = (rests, offer.bytes, &self.threads[..]) {
                    return rests.lacking_behind(*byte);
                }
                listening.lacking(rests, offer, thread.states, &mut needed)?;
            } else if let Some(step) = offer.step(thread) {
                needed.unless_whole(offer.glance(step.frame))?;
            }
        }
        needed.0
    }

    /// The byte at the front follows strange ones without a pause, so it may be one of them.
    fn is_astray(&self, channel: usize) -> bool {
        let Channel { heap, stray, .. } = &self.channels[channel];
        let (Some(stray), Some(since)) = (stray, heap.since()) else { return false };
        let pause = (self.settings.character_time() * PAUSE).min(PATIENCE) + self.late;
        since.since(stray.at) < pause
    }

    /// Whether a frame that is due may be some of the strange bytes before it.
    fn doubt(&self, accepted: &Accepted, waiting: usize, closing: Closing) -> Doubt {
        let alternatives = (accepted.alternatives.max(1) as f64).log2();
        let worth = self.worth(accepted.frame, &accepted.values, accepted.len);
        let worth = worth + accepted.known - alternatives;
        if worth >= STRONG {
            Doubt::None
        } else if worth < STILL_A_FRAME || accepted.len < waiting {
            Doubt::Remains
        } else if closing == Closing::Yes {
            Doubt::None
        } else {
            Doubt::UntilSilence
        }
    }

    pub fn worth(&self, frame: FrameId, values: &Values, len: usize) -> f64 {
        self.program.chance(frame).bits(values, len)
    }

    /// The host begins another exchange before this one is over.
    fn anew(&self, offer: &Offer<'_>, closing: Closing, needed: &mut Needed) -> Option<Found> {
        if !self.placed || offer.from == Some(Direction::Rx) {
            return None;
        }
        let first = self.threads.first()?;
        if first.pc == self.program.rest {
            return None; // it rests, so nothing is given up
        }
        let rest = [Thread::resting(&self.program, first.states, &first.place)];
        let answers = self.offer_to(offer, &rest);
        if let Some(more) = answers.more.0 {
            needed.by(more);
        }
        let accepted = answers.accepted_frame?;
        let doubt =
            if offer.strange { self.doubt(&accepted, offer.bytes.len(), closing) } else { Doubt::None };
        match doubt {
            Doubt::None => Some(Found::Expected { accepted, threads: answers.accepted, anew: true }),
            Doubt::UntilSilence => Some(Found::More(Some(1))),
            Doubt::Remains => None,
        }
    }

    fn damaged(&self, offer: &Offer<'_>, closing: Closing) -> Option<Found> {
        let threads = self.every_thread();
        let damaged = offer.damaged(threads);
        if let Some(more) = damaged.more.0
            && closing != Closing::Yes
            && self.placed
        {
            return Some(Found::More(Some(more)));
        }
        let (index, reading) = damaged.best?;
        let thread = Box::new(threads[index].clone());
        let step = self.program.step(thread.pc)?;
        let faults = 8.0 * reading.wrong.len() as f64;
        let worth = self.worth(step.frame, &reading.values, reading.len) - faults;
        let least = if self.placed { STILL_A_FRAME } else { STRONG };
        let only_differs = self.placed && damaged.differs && reading.len > 1;
        // Where a frame is due, one that ends where the bytes end is that frame.
        let fits = self.placed && reading.len == offer.bytes.len() && reading.len >= LONG_ENOUGH;
        let foreign = damaged.differs && worth + offer.known(&thread, step, &reading.values) >= STILL_A_FRAME;
        (worth >= least || only_differs || fits).then_some(Found::Damaged { thread, reading, foreign })
    }

    /// A frame that this table knows, though nothing says that it should come here.
    fn join(&self, offer: &Offer<'_>, closing: Closing, strange: bool) -> Option<Found> {
        let mut needed = Needed::default();
        let mut best: Option<(f64, FrameId, Direction, Reading)> = None;
        for direction in [Direction::Rx, Direction::Tx] {
            if offer.from.is_some_and(|from| from != direction) {
                continue;
            }
            for &frame in self.program.said_by(direction) {
                let starts = self.program.starts(frame);
                if !starts.contains(offer.bytes[0]) {
                    continue;
                }
                if offer.glance(frame) == Fit::No {
                    continue;
                }
                match offer.as_frame(frame, direction, None) {
                    Outcome::Complete(reading) => {
                        let worth = self.worth(frame, &reading.values, reading.len);
                        if best.as_ref().is_none_or(|(known, ..)| worth > *known) {
                            best = Some((worth, frame, direction, reading));
                        }
                    }
                    // What could be anything is not waited for amid strange bytes.
                    Outcome::More(more) if !strange && !self.placed || starts.len() <= 4 => needed.by(more),
                    Outcome::More(_) | Outcome::Wrong(_) => {}
                }
            }
        }
        if let Some((worth, frame, direction, reading)) = best {
            // A weak frame is believed when it stands alone, but not one that almost any bytes are.
            let alone = !self.placed
                && !strange
                && closing == Closing::Yes
                && reading.len == offer.bytes.len()
                && worth >= SAYS_SOMETHING;
            if worth >= STRONG || alone {
                return Some(Found::Joined { frame, direction, reading });
            }
        }
        (needed.0.is_some() && closing != Closing::Yes).then_some(Found::More(needed.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use crate::line::{Baud, Instant, LineEvent, Settings};
    use crate::machine::{Env, Item, Observer, Part, Program, Sides};
    use crate::protocol::Registry;

    /// Whether an acknowledgement of one byte is believed behind a strange byte and a silence of so many characters.
    fn is_believed_behind(silence: u32) -> bool {
        let table = Registry::shipped().get("mbus").expect("a shipped table");
        let settings = Settings::new(Baud::nearest(115_200.0), table.line.format);
        let mut observer =
            Observer::new(Arc::new(Program::compile(table)), Sides::Device, settings, &Env::new());
        let mut now = Instant::ZERO;
        for (byte, silence) in [(0x55, 0), (0xE5, silence)] {
            now += settings.character_time() * (silence + 1);
            observer.on_event(&LineEvent::byte(now, Direction::Rx, byte));
        }
        observer.finish();
        observer.items().iter().any(|item| item.is_clean() && item.bytes[..] == [0xE5])
    }

    #[test]
    fn a_frame_that_says_little_is_believed_behind_strange_bytes_after_a_pause() {
        assert_eq!([0, 18, 19, 60].map(is_believed_behind), [false, false, true, true]);
    }

    const QUESTION: &[u8] = &[0xC2, 0x33, 0xF1, 0x01, 0x0C, 0xF3];
    const ANSWER: &[u8] = &[0x84, 0xF1, 0x10, 0x41, 0x0C, 0x0B, 0xE8, 0xC5];

    /// What is made of this answer to a question for present data, and whether it is as it should be.
    fn answered(answer: &[u8]) -> Vec<(Vec<u8>, Option<Part>, bool)> {
        let table = Registry::shipped().get("kwp2000").expect("a shipped table");
        let settings = Settings::new(Baud::nearest(10_400.0), table.line.format);
        let mut observer =
            Observer::new(Arc::new(Program::compile(table)), Sides::Both, settings, &Env::new());
        let mut now = Instant::ZERO;
        for (direction, bytes) in [
            (Direction::Tx, QUESTION),
            (Direction::Rx, ANSWER),
            (Direction::Tx, QUESTION),
            (Direction::Rx, answer),
        ] {
            now += settings.character_time() * 50;
            for byte in bytes {
                now += settings.character_time();
                observer.on_event(&LineEvent::byte(now, direction, *byte));
            }
        }
        observer.finish();
        let part = |item: &Item| item.framed().map(|framed| framed.part.clone());
        let items = observer.items().into_iter().skip(3);
        items.map(|item| (item.bytes.to_vec(), part(&item), item.is_clean())).collect()
    }

    /// What is told of these bytes of an stm32 bootloader, in turn: bytes, and whether they are as they should be.
    fn told_of_stm32(said: &[(Direction, &[u8])]) -> Vec<(Vec<u8>, bool)> {
        let table = Registry::shipped().get("stm32").expect("a shipped table");
        let settings = Settings::new(Baud::nearest(115_200.0), table.line.format);
        let mut observer =
            Observer::new(Arc::new(Program::compile(table)), Sides::Both, settings, &Env::new());
        let mut now = Instant::ZERO;
        for (direction, bytes) in said {
            now += settings.character_time() * 50;
            for byte in *bytes {
                now += settings.character_time();
                observer.on_event(&LineEvent::byte(now, *direction, *byte));
            }
        }
        observer.finish();
        let bytes = observer.items().into_iter().filter(|item| !item.bytes.is_empty());
        bytes.map(|item| (item.bytes.to_vec(), item.is_clean())).collect()
    }

    #[test]
    fn what_is_passed_over_means_nothing_only_where_something_comes_behind_it() {
        let sync = (vec![0x7F], true);
        let answered = told_of_stm32(&[(Direction::Tx, &[0x7F]), (Direction::Rx, &[0x00, 0x79])]);
        assert_eq!(answered, [sync.clone(), (vec![0x79], true)]);
        let held = told_of_stm32(&[(Direction::Tx, &[0x7F]), (Direction::Rx, &[0x00; 20])]);
        assert_eq!(held, [sync.clone(), (vec![0x00; 20], false)]);
        let strange = told_of_stm32(&[(Direction::Tx, &[0x7F]), (Direction::Rx, &[0x00, 0x55])]);
        assert_eq!(strange, [sync, (vec![0x00], false), (vec![0x55], false)]);
    }

    #[test]
    fn a_frame_that_is_due_is_believed_behind_strange_bytes_by_what_was_known_of_it() {
        let found = answered(&[&[0xFB, 0xFF][..], ANSWER].concat());
        let strange = (vec![0xFB, 0xFF], None, false);
        assert_eq!(found, [strange.clone(), (ANSWER.to_vec(), Some(Part::Expected), true)]);
        // Another answer with the right sum is none that was asked for, so it may be some of the strange bytes.
        let other = [0x84, 0xF1, 0x10, 0x42, 0x0C, 0x0B, 0xE8, 0xC6];
        assert_eq!(answered(&[&[0xFB, 0xFF][..], &other].concat())[0].1, None);
    }

    #[test]
    fn a_healthy_frame_with_another_value_answers_somebody_else_and_one_with_a_wrong_sum_is_damaged() {
        let other = [0x84, 0xF1, 0x10, 0x41, 0x0D, 0x0B, 0xE8, 0xC6];
        assert_eq!(answered(&other), [(other.to_vec(), Some(Part::Foreign), false)]);
        let wrong = [0x84, 0xF1, 0x10, 0x41, 0x0C, 0x0B, 0xE8, 0xC6];
        assert_eq!(answered(&wrong), [(wrong.to_vec(), Some(Part::Expected), false)]);
    }
}
