//! Asking where listening does not help: each protocol's opener at its rates and formats, most likely first, until one is answered.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::line::{Action, Baud, Direction, Fault, Format, Instant, LineEvent, Settings, Span, Task};
use crate::machine::{Ending, Env, Host, HostResult, Item, Run};
use crate::protocol::{Risk, Table};

use super::findings::{Candidate, Evidence, Faults, Findings, ProtocolScore, Verdict};

/// After a change of settings the line rests for so long before anybody speaks.
const SETTLE: Span = Span::from_millis(20);

/// A question to ask: the opener of a protocol at one of its settings.
#[derive(Clone, Debug)]
pub struct Opener {
    pub table: Arc<Table>,
    pub settings: Settings,
    pub risk: Risk,
}

/// What may be asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProbeOptions {
    /// Only this protocol; its opener is sent even if it is not harmless.
    pub only: Option<String>,
    /// Only these; empty: those of each table.
    pub bauds: Vec<Baud>,
    pub formats: Vec<Format>,
    pub fastest: Option<Baud>,
}

/// What would be asked, in order: every protocol at its likeliest settings, then every one at its second ones, and so on.
pub fn openers(tables: &[Arc<Table>], options: &ProbeOptions) -> Vec<Opener> {
    let named = |table: &Table| options.only.as_deref().is_none_or(|only| only == &*table.name);
    let may = |risk: Risk| risk == Risk::Harmless || options.only.is_some();
    let mut queues: Vec<VecDeque<Opener>> = Vec::new();
    for table in tables.iter().filter(|table| named(table)) {
        let Some(probe) = table.probe.as_ref().filter(|probe| may(probe.risk)) else { continue };
        let settings = settings_of(table, options);
        let opener = |settings| Opener { table: table.clone(), settings, risk: probe.risk };
        queues.push(settings.into_iter().map(opener).collect());
    }
    let mut plan = Vec::new();
    while queues.iter().any(|queue| !queue.is_empty()) {
        plan.extend(queues.iter_mut().filter_map(VecDeque::pop_front));
    }
    plan
}

/// Likeliest first: each rate in the likeliest format, then in the next one.
fn settings_of(table: &Table, options: &ProbeOptions) -> Vec<Settings> {
    let line = &table.line;
    let bauds = if options.bauds.is_empty() { &line.bauds } else { &options.bauds };
    let formats = if options.formats.is_empty() { &line.formats } else { &options.formats };
    let possible = |baud: &&Baud| options.fastest.is_none_or(|fastest| **baud <= fastest);
    let all =
        formats.iter().flat_map(|format| bauds.iter().filter(possible).map(move |baud| (*baud, *format)));
    all.map(|(baud, format)| Settings { msb_first: line.msb_first, ..Settings::new(baud, format) }).collect()
}

impl Opener {
    /// The bytes that would be sent first; `Err` says why there are none.
    pub fn first_bytes(&self) -> Result<Vec<u8>, String> {
        let mut host = self.host()?;
        host.on_settings(Instant::ZERO, self.settings);
        host.on_time(Instant::ZERO);
        for _ in 0..1000 {
            while let Some(action) = host.next_action() {
                if let Action::Send(bytes) = action {
                    return Ok(bytes);
                }
            }
            let Some(next) = host.deadline() else { break };
            host.on_time(next);
        }
        Ok(Vec::new())
    }

    fn host(&self) -> Result<Host, String> {
        Ok(Host::new(&self.table, &Run::Probe, &Env::new(), self.settings)?.with_tries(1))
    }
}

/// An answer to an opener.
#[derive(Clone, Debug)]
pub struct Answered {
    pub opener: Opener,
    pub result: HostResult,
    pub faults: Faults,
}

/// Asks one question after another. Run it as a task, then ask [`Probe::answer`].
pub struct Probe {
    plan: VecDeque<Opener>,
    asking: Option<Asking>,
    answer: Option<Answered>,
    /// Openers at which something came that was no answer: (protocol, settings, bytes).
    other: Vec<(Opener, usize)>,
    /// What is sent comes back: where that was seen first, and how much of it.
    echo: Option<(Settings, usize)>,
    actions: VecDeque<Action>,
    asked: usize,
    now: Instant,
    over: bool,
}

struct Asking {
    opener: Opener,
    /// The host, once the settings hold and the line has rested.
    host: Option<Host>,
    begins: Option<Instant>,
    /// What the port really set.
    settings: Settings,
    faults: Faults,
}

impl Probe {
    pub fn new(plan: Vec<Opener>) -> Probe {
        Probe {
            plan: plan.into(),
            asking: None,
            answer: None,
            other: Vec::new(),
            echo: None,
            actions: VecDeque::new(),
            asked: 0,
            now: Instant::ZERO,
            over: false,
        }
    }

    /// Which question is being asked.
    pub fn asking(&self) -> Option<&Opener> {
        self.asking.as_ref().map(|asking| &asking.opener)
    }

    /// How many questions have been asked.
    pub fn asked(&self) -> usize {
        self.asked
    }

    pub fn answer(&self) -> Option<&Answered> {
        self.answer.as_ref()
    }

    /// What a search by listening found, with what was learnt by asking put first.
    pub fn merged(&self, mut found: Findings) -> Findings {
        found.evidence.extend(self.echo.map(|(settings, bytes)| Evidence::Echo { settings, bytes }));
        for (opener, bytes) in &self.other {
            found.evidence.push(Evidence::OtherAnswer {
                protocol: opener.table.name.to_string(),
                settings: opener.settings,
                bytes: *bytes,
            });
        }
        let Some(answer) = &self.answer else {
            found.evidence.push(Evidence::NoAnswer { openers: self.asked });
            return found;
        };
        let candidate = answer.candidate(self.asked);
        found.evidence.push(Evidence::Answered {
            protocol: answer.opener.table.name.to_string(),
            settings: answer.opener.settings,
            bytes: answer.result.heard,
            by_chance: 1.0 - candidate.probability,
        });
        found.received += answer.result.heard;
        let rest = 1.0 - candidate.probability;
        found.settings.iter_mut().for_each(|other| other.probability *= rest);
        found.settings.insert(0, candidate);
        found.verdict = Verdict::Found;
        found
    }

    fn next_question(&mut self) {
        if self.asking.is_some() || self.over {
            return;
        }
        match self.plan.pop_front() {
            Some(opener) => {
                self.actions.extend([Action::Set(opener.settings), Action::Discard]);
                let settings = opener.settings;
                let faults = Faults::default();
                self.asking = Some(Asking { opener, host: None, begins: None, settings, faults });
            }
            None => self.finish(),
        }
    }

    fn finish(&mut self) {
        self.over = true;
        self.actions.push_back(Action::Done);
    }

    /// What came of the question that has just ended.
    fn judge(&mut self) {
        let Some(Asking { opener, host: Some(host), faults, .. }) = self.asking.take() else { return };
        let result = host.result();
        let echoed = Echoed::of(&result.items);
        match result.ending {
            // A refusal is an answer of this protocol too. A wire from TX to RX answers whatever both sides may say.
            Some(Ending::Done | Ending::Refused) if result.heard > 0 && echoed != Echoed::Whole => {
                self.answer = Some(Answered { opener, result, faults });
                self.finish();
            }
            // The same question once more, without what comes back.
            _ if self.echo.is_none() && echoed != Echoed::Nothing => {
                self.echo = Some((opener.settings, result.heard));
                self.plan.push_front(opener);
                self.asked -= 1;
            }
            _ if result.heard > 0 => self.other.push((opener, result.heard)),
            _ => {}
        }
    }
}

/// What of the bytes that were heard is what had been sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Echoed {
    Nothing,
    /// The question, and then something else.
    Question,
    /// All of it.
    Whole,
}

impl Echoed {
    fn of(items: &[Item]) -> Echoed {
        let of = |direction: Direction| -> Vec<u8> {
            let said = items.iter().filter(|item| item.direction == direction);
            said.flat_map(|item| item.bytes.iter().copied()).collect()
        };
        let (sent, heard) = (of(Direction::Tx), of(Direction::Rx));
        let question = items.iter().find(|item| item.direction == Direction::Tx);
        match question {
            _ if heard.is_empty() => Echoed::Nothing,
            _ if sent.starts_with(&heard) => Echoed::Whole,
            Some(question) if heard.starts_with(&question.bytes) => Echoed::Question,
            _ => Echoed::Nothing,
        }
    }
}

impl Answered {
    fn candidate(&self, asked: usize) -> Candidate {
        let heard = |item: &&Item| item.direction == Direction::Rx;
        let frames = self.result.items.iter().filter(heard).filter(|item| item.framed().is_some());
        let whole = |item: &&Item| item.framed().is_some_and(|framed| framed.wrong.is_empty());
        let (valid, invalid): (Vec<&Item>, Vec<&Item>) = frames.partition(whole);
        let bytes: usize = valid.iter().map(|item| item.bytes.len()).sum();
        // That noise has each of these values in each of the windows that were listened to.
        let by_chance = asked.max(1) as f64 * 256f64.powi(-(bytes.clamp(1, 8) as i32));
        Candidate {
            settings: self.opener.settings,
            alike: Vec::new(),
            measured_baud: self.opener.settings.baud.hz(),
            protocol: Some(ProtocolScore {
                name: self.opener.table.name.to_string(),
                valid: valid.len(),
                invalid: invalid.len(),
                log_weight: -by_chance.ln(),
            }),
            probability: (1.0 - by_chance).max(0.5),
            bytes: self.result.heard,
            faults: self.faults,
            verified: true,
        }
    }
}

impl Task for Probe {
    fn on_event(&mut self, event: &LineEvent) {
        self.now = self.now.max(event.at);
        let Some(asking) = &mut self.asking else { return };
        match event.fault {
            Some(Fault::Framing | Fault::FramingOrParity) => asking.faults.framing += 1,
            Some(Fault::Parity) => asking.faults.parity += 1,
            Some(Fault::Break) => asking.faults.breaks += 1,
            Some(Fault::Overrun) => asking.faults.overrun += 1,
            None => {}
        }
        if let Some(host) = &mut asking.host {
            host.on_event(event);
        }
    }

    fn on_time(&mut self, now: Instant) {
        self.now = self.now.max(now);
        self.next_question();
        let Some(asking) = &mut self.asking else { return };
        match &mut asking.host {
            Some(host) => host.on_time(now),
            None if asking.begins.is_some_and(|begins| now >= begins) => match asking.opener.host() {
                Ok(host) => {
                    let mut host = if self.echo.is_some() { host.with_echo() } else { host };
                    host.on_settings(now, asking.settings);
                    host.on_time(now);
                    asking.host = Some(host);
                    self.asked += 1;
                }
                Err(reason) => {
                    tracing::warn!("{} cannot be asked: {reason}", asking.opener.table.name);
                    self.asking = None;
                    self.next_question();
                }
            },
            None => {}
        }
    }

    fn on_settings(&mut self, now: Instant, settings: Settings) {
        let Some(asking) = &mut self.asking else { return };
        match &mut asking.host {
            Some(host) => host.on_settings(now, settings),
            None => (asking.begins, asking.settings) = (Some(now + SETTLE), settings),
        }
    }

    fn on_refused(&mut self, now: Instant, settings: Settings, reason: &str) {
        let Some(asking) = &mut self.asking else { return };
        match &mut asking.host {
            Some(host) => host.on_refused(now, settings, reason),
            None => {
                self.asking = None;
                self.next_question();
            }
        }
    }

    fn next_action(&mut self) -> Option<Action> {
        loop {
            if let Some(action) = self.actions.pop_front() {
                return Some(action);
            }
            match self.asking.as_mut()?.host.as_mut()?.next_action()? {
                Action::Done => {
                    self.judge();
                    self.next_question();
                }
                action => return Some(action),
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let asking = self.asking.as_ref()?;
        match &asking.host {
            Some(host) => host.deadline(),
            None => asking.begins,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Registry;

    fn tables() -> Vec<Arc<Table>> {
        Registry::shipped().all().0
    }

    fn only(table: &Table) -> ProbeOptions {
        ProbeOptions { only: Some(table.name.to_string()), ..ProbeOptions::default() }
    }

    #[test]
    fn what_may_harm_another_device_is_sent_only_when_it_is_named() {
        let tables = tables();
        let plan = openers(&tables, &ProbeOptions::default());
        assert!(!plan.is_empty() && plan.iter().all(|opener| opener.risk == Risk::Harmless));
        let risky =
            |table: &&Arc<Table>| table.probe.as_ref().is_some_and(|probe| probe.risk != Risk::Harmless);
        for table in tables.iter().filter(risky) {
            assert!(!openers(&tables, &only(table)).is_empty(), "{}", table.name);
        }
    }

    #[test]
    fn every_protocol_is_asked_at_its_likeliest_settings_before_any_at_its_second() {
        let tables = tables();
        let plan = openers(&tables, &ProbeOptions::default());
        let count =
            |opener: &Opener| plan.iter().filter(|other| other.table.name == opener.table.name).count();
        let firsts =
            plan.iter().map(|opener| &opener.table.name).collect::<std::collections::BTreeSet<_>>().len();
        for opener in &plan[..firsts] {
            assert_eq!(opener.settings.baud, opener.table.line.bauds[0], "{}", opener.table.name);
            assert_eq!(opener.settings.format, opener.table.line.formats[0], "{}", opener.table.name);
            assert!(count(opener) >= 1);
        }
    }

    #[test]
    fn every_opener_has_bytes_to_show_before_it_is_sent() {
        for opener in openers(&tables(), &ProbeOptions::default()) {
            let bytes = opener.first_bytes();
            assert!(bytes.as_ref().is_ok_and(|bytes| !bytes.is_empty()), "{}: {bytes:?}", opener.table.name);
        }
    }

    #[test]
    fn rates_and_formats_that_are_asked_for_take_the_place_of_the_tables() {
        let wanted = ProbeOptions {
            bauds: vec![Baud::nearest(1200.0)],
            formats: vec![Format::O8],
            ..ProbeOptions::default()
        };
        let plan = openers(&tables(), &wanted);
        assert!(!plan.is_empty());
        let expected = Settings::new(Baud::nearest(1200.0), Format::O8);
        assert!(plan.iter().all(|opener| Settings { msb_first: false, ..opener.settings } == expected));
    }
}
