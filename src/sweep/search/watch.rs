//! Verified: listening on for the protocol, and for a device that changes its rate.

use crate::line::{Fault, Format, LineErrors, LineEvent, Seen, Settings};

use super::super::candidates::{Candidates, Word};
use super::super::findings::{Purpose, Stretch};
use super::super::verify::ENOUGH;
use super::{Phase, Search, near};

impl Search {
    pub(super) fn stay(&mut self, settings: Settings) {
        self.verified = Some(settings);
        let same = |stretch: &mut Stretch| near(stretch.best.settings.baud, settings.baud.hz());
        if let Some(same) = self.stretches.pop_if(same) {
            self.stretch_from = same.from;
            self.false_alarm = self.options.errors != LineErrors::PerByte;
        }
        let protocol = self.options.protocol.clone();
        let mut scorer = self.scorers.scorer(&settings, protocol.as_deref());
        if let Some(session) = self.sessions.last() {
            let decoded: Vec<LineEvent> = session
                .events
                .iter()
                .map(|event| decoded(event, session.listen.settings, settings))
                .collect();
            scorer.hear(&decoded);
        }
        self.scorer = Some(scorer);
        if self.options.stay.is_zero() {
            return self.finish();
        }
        self.phase = Phase::Staying { since: None };
    }

    /// As [`Search::stay`], when other rates were listened at in between: back to the settings that were found.
    pub(super) fn stay_at(&mut self, settings: Settings) {
        self.verified = Some(settings);
        let time_left = self.now + self.options.settle + self.options.stay < self.started + self.options.time;
        if settings.inverted || self.options.stay.is_zero() || !time_left {
            return self.finish();
        }
        // Where flags belong to single characters, a character tells its format as 8N1.
        let packets = self.options.errors == LineErrors::Packet;
        self.ask(settings.baud, if packets { settings.format } else { Format::N8 }, Purpose::Stay);
    }

    /// While staying: a device that changes its rate is searched for again.
    pub(super) fn watch(&mut self, event: &LineEvent) {
        let (Some(settings), Some(session)) = (self.verified, self.sessions.last()) else { return };
        if let Some(scorer) = &mut self.scorer {
            scorer.hear(&[decoded(event, session.listen.settings, settings)]);
        }
        const WINDOW: usize = 12;
        const FITS: f64 = 0.01;
        if settings.inverted || session.words.len() < (ENOUGH + WINDOW).max(2 * WINDOW) {
            return;
        }
        let recent = &session.words[session.words.len() - WINDOW..];
        let flagged = match self.options.errors {
            LineErrors::PerByte => self.read(recent).unexplained,
            LineErrors::Packet if session.listen.settings.format != Format::N8 => {
                recent.iter().filter(|word| word.bad).count()
            }
            _ if self.false_alarm => return,
            _ => 2,
        };
        // Only every few words: this is a whole posterior.
        let doubtful = flagged >= 2 && session.words.len() % WINDOW == 0;
        let fits = || {
            let mut fresh = Candidates::new(&self.options.bauds, self.options.fastest, self.options.errors);
            fresh.listen(session.listen.settings.baud);
            session.words[session.words.len() - 2 * WINDOW..].iter().for_each(|word| fresh.hear(*word));
            fresh.posterior().near(settings.baud.hz()) >= FITS
        };
        let mostly = self.options.errors != LineErrors::Never && flagged * 2 > WINDOW;
        if mostly || doubtful && session.listen.settings.format == Format::N8 && !fits() {
            self.change();
        }
    }

    /// The line is not what it was: what was found becomes a stretch, and the search begins anew.
    pub(super) fn change(&mut self) {
        let posterior = self.candidates.posterior();
        if let Some(best) = self.ranking(&posterior).into_iter().next() {
            self.stretches.push(Stretch { from: self.stretch_from, until: self.now, best });
        }
        self.candidates.forget();
        self.stretch_from = self.now;
        self.stretch_sessions = self.sessions.len();
        self.verified = None;
        self.scorer = None;
        self.walk = None;
        self.ask(self.options.fastest, Format::N8, Purpose::Measure);
    }
}

/// An event as a receiver with the found settings would have reported it.
pub(in crate::sweep) fn decoded(event: &LineEvent, heard: Settings, found: Settings) -> LineEvent {
    let Some(word) = Word::of(event).filter(|_| heard.format == Format::N8 && !found.inverted) else {
        return *event;
    };
    let mask = found.format.data.mask() as u8;
    let byte = LineEvent { seen: Seen::Byte(word.byte & mask), fault: None, ..*event };
    match (found.format.parity.bit(u16::from(word.byte)), found.format.data.count()) {
        // The stop bit's place held the parity bit: as it should be, or a parity error.
        (Some(mark), 8) if mark != word.bad => byte,
        (Some(_), 8) => byte.with_fault(Fault::Parity),
        (Some(_), 7) if !word.bad => {
            let wanted = found.format.parity.bit(u16::from(word.byte & mask)) == Some(word.byte & 0x80 != 0);
            if wanted { byte } else { byte.with_fault(Fault::Parity) }
        }
        (None, 7) if !word.bad => byte,
        _ => *event,
    }
}
