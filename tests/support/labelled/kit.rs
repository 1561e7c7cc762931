//! What the captures of a protocol are made from: conversations of its own simulated device, and what may come in their place.

use std::sync::{Arc, OnceLock};

use hsdiag::line::Direction;
use hsdiag::machine::Program;
use hsdiag::protocol::{Registry, Table};
use hsdiag::simulate;

use super::conversation::{Message, conversation, to_others, varied};
use super::generate::{Ingredients, Labelled};
use hsdiag::capture::{Header, Record};
use hsdiag::line::{LineEvent, Span};

/// The protocols whose conversations are spoilt.
pub const PROTOCOLS: [&str; 8] =
    ["mbus", "modbus-rtu", "dlt645", "iec101", "stm32", "stk500v1", "esp-rom", "kwp2000"];

const STRANGERS: [&str; 3] = ["nmea", "ubx", "at-commands"];

/// Conversations of a protocol.
const TALKS: u64 = 4;
const VARIED: u64 = 40;

/// A conversation with other contents.
struct Varied {
    talk: Vec<Message>,
    /// For each reply what answers somebody else's question.
    to_others: Vec<Option<Vec<u8>>>,
}

/// A protocol with what its captures are made from.
pub struct Kit {
    pub name: &'static str,
    pub table: Arc<Table>,
    pub program: Arc<Program>,
    pub talks: Vec<Vec<Message>>,
    /// The same with other contents, made when somebody asks.
    varied: OnceLock<Vec<Varied>>,
    pub refusing: Vec<Vec<Message>>,
}

impl Kit {
    /// The kits of all protocols.
    pub fn all(registry: &Registry) -> Vec<Kit> {
        Kit::of(registry, &PROTOCOLS)
    }

    /// The kits of protocols that only come in place of another: some of them are text as well.
    pub fn strangers(registry: &Registry) -> Vec<Kit> {
        Kit::of(registry, &STRANGERS)
    }

    fn of(registry: &Registry, names: &[&'static str]) -> Vec<Kit> {
        let kit = |name: &&'static str| Kit::new(name, registry.get(name).expect("a shipped table"));
        names.iter().map(kit).collect()
    }

    pub fn new(name: &'static str, table: Arc<Table>) -> Kit {
        let options = |seed: u64, fault: Option<&str>| simulate::Options {
            seed,
            fault: fault.map(String::from),
            ..simulate::Options::default()
        };
        let program = Arc::new(Program::compile(table.clone()));
        let talks = (0..TALKS).map(|seed| conversation(&table, &options(seed, None), 1200)).collect();
        // A table without a refusal has a device that cannot refuse.
        let refusals = if table.refusals.frames.is_empty() { 0 } else { 2 };
        let refusing =
            (0..refusals).map(|seed| conversation(&table, &options(seed, Some("refuse")), 300)).collect();
        Kit { name, program, table, talks, varied: OnceLock::new(), refusing }
    }

    fn varied(&self) -> &[Varied] {
        self.varied.get_or_init(|| {
            let own = self.talks.iter().cycle().zip(0..VARIED);
            let varied = own.map(|(talk, seed)| {
                let talk = varied(&self.program, talk.clone(), seed);
                Varied { to_others: to_others(&self.program, &talk, seed), talk }
            });
            varied.collect()
        })
    }

    /// What the capture of this seed is made from; `other` is the protocol that may be there instead.
    ///
    /// `wide`: with contents of every kind, and spoilt in every way.
    pub fn ingredients<'a>(
        &'a self,
        other: &'a Kit,
        text: &'a [Vec<u8>],
        seed: u64,
        wide: bool,
    ) -> Ingredients<'a> {
        let place = seed as usize >> 4;
        let (talk, to_others): (&[Message], &[Option<Vec<u8>>]) = match wide {
            false => (&self.talks[place % self.talks.len()], &[]),
            true => {
                let varied = self.varied();
                let Varied { talk, to_others } = &varied[place % varied.len()];
                (talk, to_others)
            }
        };
        Ingredients {
            talk,
            to_others,
            wide,
            refusing: self.refusing.get(place % 2).map_or(&[], |talk| talk),
            foreign: &other.talks[place % other.talks.len()],
            text,
            format: self.table.line.format,
            bauds: &self.table.line.bauds,
            has_echo: self.table.line.echo,
            polls: self.table.poll.is_some(),
        }
    }
}

/// What the console's device prints, line by line.
pub fn texts(registry: &Registry) -> Vec<Vec<u8>> {
    let console = registry.get("console").expect("a shipped table");
    let options = simulate::Options { seed: 5, ..simulate::Options::default() };
    let said: Vec<u8> = conversation(&console, &options, 4000)
        .into_iter()
        .filter(|message| message.direction == Direction::Rx)
        .flat_map(|message| message.bytes)
        .collect();
    let lines: Vec<Vec<u8>> = said.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    lines.into_iter().filter(|line| line.len() > 4).collect()
}

impl Labelled {
    /// The capture as a recording.
    pub fn recording(&self) -> (Header, Vec<Record>) {
        self.recording_of(self.events.iter().map(|(event, _)| event))
    }

    /// These events as a recording of the same adapter.
    pub fn recording_of<'a>(&self, events: impl Iterator<Item = &'a LineEvent>) -> (Header, Vec<Record>) {
        let header = Header {
            settings: self.settings,
            line_errors: self.errors,
            uncertainty: Span::from_secs_f64(self.uncertainty),
        };
        let mut changes = self.changes.iter().peekable();
        let mut records = Vec::new();
        for event in events {
            while let Some((at, settings)) = changes.next_if(|(at, _)| *at <= event.at) {
                records.push(Record::set(*at, *settings));
            }
            records.push(Record::seen(*event));
        }
        (header, records)
    }
}
