//! What a host prepares while it waits: where only one answer can come, what it says next is ready before that is there.
//!
//! A device that answers within a millisecond otherwise waits for a tenth of that after every block.

use crate::frame::{EncodeError, Values};
use crate::line::Direction;

use super::closure::Closure;
use super::hear::{Accepted, Offer, go_past};
use super::host::Host;
use super::program::{Instruction, Step};
use super::speak::{Speech, speech};
use super::thread::Thread;
use super::waiting::Closing;

/// How far ahead a host has thought.
#[derive(Default)]
pub(super) enum Ahead {
    #[default]
    Nothing,
    /// It is time to look ahead when what was asked has left.
    Due,
    /// While it waits.
    Answer(Foreseen),
    /// When it goes on.
    Step(Next),
}

/// The answer that will come if all is well, and what follows from it.
pub(super) struct Foreseen {
    answer: Vec<u8>,
    accepted: Accepted,
    /// Where the run stands when the answer has been heard.
    threads: Vec<Thread>,
    next: Next,
}

/// The next step of a run.
pub(super) struct Next {
    /// The run where it waits or speaks.
    pub threads: Vec<Thread>,
    /// What the host says there.
    pub said: Option<Said>,
}

/// A frame to send, and where the run stands behind it.
pub(super) struct Said {
    pub bytes: Vec<u8>,
    pub values: Values,
    pub threads: Vec<Thread>,
    /// The same threads, where they wait or speak again.
    pub onwards: Vec<Thread>,
}

impl Host {
    /// The run goes on from these threads, up to where it waits or speaks.
    pub(super) fn onwards(&self, threads: impl IntoIterator<Item = Thread>) -> Vec<Thread> {
        Closure { ground: self.ground(), unheard: None, eager: true }.of(threads)
    }

    /// What the first of these threads says, by this step.
    pub(super) fn speak(&self, threads: &[Thread], first: &Thread, step: &Step) -> Result<Said, EncodeError> {
        let Speech { bytes, values } = speech(self.ground(), first, step)?;
        let own = Offer { from: Some(Direction::Tx), ..self.offer(&bytes, true) };
        // Every way on that these bytes fit is followed; the one that was meant comes first.
        let mut ways = vec![first.clone()];
        ways.extend(threads.iter().skip(1).cloned());
        let answers = own.to(&ways);
        let fits = answers.accepted_frame.is_some_and(|accepted| accepted.len == bytes.len());
        let mut threads = if fits { answers.accepted } else { Vec::new() };
        if threads.first().is_none_or(|behind| behind.pc != first.pc + 1) {
            let mut meant = first.clone();
            go_past(self.ground(), &mut meant, step, &values);
            threads.insert(0, meant);
        }
        let onwards = self.onwards(threads.iter().cloned());
        Ok(Said { bytes, values, threads, onwards })
    }

    /// Looks ahead from where the run waits. Nothing is foreseen where the answer has something in it that is not known yet.
    pub(super) fn foresee(&self) -> Option<Foreseen> {
        let waits = self.threads.first()?;
        let answer = speech(self.ground(), waits, self.program.step(waits.pc)?).ok()?.bytes;
        let answers = self.offer(&answer, false).to(&self.threads);
        let accepted = answers.accepted_frame.filter(|accepted| accepted.len == answer.len())?;
        let threads = self.onwards(answers.accepted.iter().cloned());
        let said = threads.first().and_then(|first| self.speak(&threads, first, self.says(first)?).ok());
        Some(Foreseen { answer, accepted, threads: answers.accepted, next: Next { threads, said } })
    }

    /// What the thread says at once; a phase in between changes the line first.
    fn says(&self, thread: &Thread) -> Option<&Step> {
        match &self.program.code[thread.pc] {
            Instruction::Message(step) if step.direction == Direction::Tx && thread.pending.is_empty() => {
                Some(step)
            }
            _ => None,
        }
    }

    /// The answer that was foreseen, if it is there; what follows from it is kept for the next step. Forgets it when something
    /// else came.
    pub(super) fn heard_foreseen(&mut self, closing: Closing) -> Option<(Accepted, Vec<Thread>)> {
        let heard = self.heap.bytes();
        let foreseen = match std::mem::take(&mut self.ahead) {
            Ahead::Answer(foreseen) if foreseen.answer.starts_with(heard) => foreseen,
            _ => return None,
        };
        if foreseen.answer.len() > heard.len() {
            self.ahead = Ahead::Answer(foreseen); // the rest may still come
            return None;
        }
        // Behind a silence other frames may be over as well.
        if closing.closed() {
            return None;
        }
        self.ahead = Ahead::Step(foreseen.next);
        Some((foreseen.accepted, foreseen.threads))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::line::{Action, Baud, Format, Instant, LineEvent, Settings, Span, Task};
    use crate::machine::{Env, Run};
    use crate::protocol::Table;

    const LOADER: &str = r#"
name = "loader"
[line]
format = "8N1"
baud = [9600]
[frames]
sync = "7F"
get = "00 FF"
ack = "79"
codes = "n:u8 codes:bytes(n)"
[exchanges]
sync = "> sync < ack"
get = "> get < codes"
[states]
ready = { may = ["sync", "get"] }
[handshake]
run = "sync get sync"
[device.knows]
codes = "01"
"#;

    fn host() -> Host {
        let (table, _) = Table::read("loader.toml", LOADER).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let settings = Settings::new(Baud::nearest(9600.0), Format::N8);
        Host::new(&Arc::new(table), &Run::Handshake, &Env::new(), settings).unwrap()
    }

    /// What is sent from now on, up to where the host waits.
    fn sends(host: &mut Host) -> Vec<Vec<u8>> {
        let sent = |action| if let Action::Send(bytes) = action { Some(bytes) } else { None };
        std::iter::from_fn(|| host.next_action())
            .take_while(|action| *action != Action::Done)
            .filter_map(sent)
            .collect()
    }

    fn hears(host: &mut Host, at: Instant, bytes: &[u8]) -> Vec<Vec<u8>> {
        bytes.iter().for_each(|byte| host.on_event(&LineEvent::byte(at, Direction::Rx, *byte)));
        sends(host)
    }

    #[test]
    fn the_next_question_is_ready_when_the_first_has_left_and_is_the_same_as_without() {
        let (mut hasty, mut ahead) = (host(), host());
        assert_eq!(sends(&mut hasty), [[0x7F]]);
        assert_eq!(sends(&mut ahead), [[0x7F]]);
        let left = ahead.deadline().unwrap();
        assert!(left < Instant::ZERO + Span::from_millis(2), "before its answer can be there");
        ahead.on_time(left);
        assert!(matches!(ahead.ahead, Ahead::Answer(_)));
        assert!(ahead.deadline().unwrap() > left + Span::from_millis(50), "looks ahead once");
        assert_eq!(hears(&mut hasty, Instant::ZERO, &[0x79]), [[0x00, 0xFF]]);
        assert_eq!(hears(&mut ahead, left, &[0x79]), [[0x00, 0xFF]]);
        assert_eq!(hasty.result().items.len(), ahead.result().items.len());
    }

    #[test]
    fn nothing_is_foreseen_of_what_the_device_alone_knows_nor_kept_when_something_else_comes() {
        let mut host = host();
        assert_eq!(sends(&mut host), [[0x7F]]);
        let left = host.deadline().unwrap();
        host.on_time(left);
        assert_eq!(hears(&mut host, left, &[0x79]), [[0x00, 0xFF]]);
        let left = host.deadline().unwrap();
        host.on_time(left);
        assert!(matches!(host.ahead, Ahead::Nothing));
        assert_eq!(hears(&mut host, left, &[0x02, 0x00, 0x31]), [[0x7F]]);
        let left = host.deadline().unwrap();
        host.on_time(left);
        assert!(matches!(host.ahead, Ahead::Answer(_)));
        assert!(hears(&mut host, left, &[0x1F]).is_empty());
        assert!(matches!(host.ahead, Ahead::Nothing));
    }
}
