//! A checked table: every name in it is known, every frame compiled.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::frame::{Algorithm, Blob, Expr, Frame, Name, Value};
use crate::line::{Baud, Format};

use super::flash::Flash;
use super::talk::{Bind, Talk};
use super::time::Time;

/// Place of a frame in [`Table::frames`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameId(pub usize);

/// Place of an exchange in [`Table::exchanges`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExchangeId(pub usize);

/// Place of a state in [`Table::states`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StateId(pub usize);

/// One protocol.
#[derive(Clone, Debug)]
pub struct Table {
    pub name: Name,
    /// Other names it is found under.
    pub aliases: Vec<Name>,
    pub title: String,
    /// What it is and where it is met, in a sentence or two.
    pub about: String,
    /// What the table was written from.
    pub sources: Vec<String>,
    pub line: Line,
    pub phases: Vec<Phase>,
    /// Set by the user (`--set address=5`); a parameter with several possible values is a hypothesis for the observer.
    pub parameters: Vec<Parameter>,
    /// Names for numbers, by field.
    pub values: BTreeMap<Name, Vec<NamedValue>>,
    /// `[lookup.NAME]`: numbers by numbers.
    pub lookups: BTreeMap<Name, BTreeMap<i128, i128>>,
    /// `[checksums]`: CRCs of the table's own.
    pub checksums: Vec<Algorithm>,
    pub frames: Vec<Frame>,
    pub exchanges: Vec<Exchange>,
    /// The first one is where everything begins.
    pub states: Vec<State>,
    /// Frames that may come at any time from the device and mean nothing to the conversation.
    pub ignore: Vec<FrameId>,
    pub refusals: Refusals,
    pub device: Device,
    /// `[handshake] run`: what brings the device to readiness and changes nothing in it.
    pub handshake: Option<Talk>,
    /// `[poll] run` and how often: what a host of this protocol keeps asking; plays `traffic=bus` and the tests.
    pub poll: Option<(Talk, Time)>,
    pub probe: Option<Probe>,
    pub flash: Option<Flash>,
    pub reset: ResetSequences,
    pub chips: Vec<Chip>,
    pub meanings: Vec<Meaning>,
    /// What other tools print when something fails.
    pub messages: Vec<ToolMessage>,
    pub vectors: Vec<Vector>,
    /// How people write a field: `address = "bcd-le"`.
    pub show: BTreeMap<Name, Show>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    pub name: Name,
    pub value: Value,
    /// Other values it may have; the first listed is the default.
    pub one_of: Vec<Value>,
    pub about: String,
}

/// `[line]`: how the conversation begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub format: Format,
    /// Formats met in the field, likeliest first; `format` is the first.
    pub formats: Vec<Format>,
    pub inverted: bool,
    pub msb_first: bool,
    /// Likeliest first.
    pub bauds: Vec<Baud>,
    /// A reply begins this long after the question at the earliest and at the latest.
    pub reply: Reply,
    /// Silence that ends a frame.
    pub gap: Option<Time>,
    /// One wire: everything sent is heard back.
    pub echo: bool,
    /// Stray bytes that may stand before any frame.
    pub skip: Bytes,
    pub flow: Option<String>,
    /// TCP ports on which the same bytes are met.
    pub tcp: Vec<u16>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    pub from: Time,
    pub to: Time,
}

/// `[line.NAME]`: what `@NAME` changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Phase {
    pub name: Name,
    /// A number, or an expression over what the exchange knows: `"rate"`.
    pub baud: Option<Expr>,
    pub format: Option<Format>,
    /// Silence before anybody speaks at the new settings.
    pub settle: Option<Time>,
    /// Levels instead of characters: a wake-up pattern of breaks and waits.
    pub script: Vec<ScriptStep>,
    /// Characters are keyed as breaks where the port cannot be set that slow (5 baud).
    pub keyed: bool,
}

/// A step of a script on the control lines and the line itself: `D1`, `R0`, `B1`, `W0.1`, `S1200`, `O0`, `O8`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ScriptStep {
    /// The line's rate until the script is over, or until the next of these.
    Rate(Baud),
    Close,
    /// The port is opened again; it may take so many seconds until it is there.
    Open(f64),
    Dtr(bool),
    Rts(bool),
    Break(bool),
    /// Seconds.
    Wait(f64),
}

/// A name for a number of a field, with what it explains.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedValue {
    pub name: Name,
    pub value: i128,
    /// The last of a row of numbers that say the same; else `value` once more.
    pub to: i128,
    /// What it says, in a sentence: "the address is not in memory".
    pub means: Option<String>,
    pub cause: Option<String>,
    pub remedy: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    pub name: Name,
    /// Arguments, filled by the caller; an unknown one is filled on return.
    pub with: Vec<Name>,
    /// Names that outlive the exchange.
    pub keep: Vec<Name>,
    pub talk: Talk,
    /// The device starts it by itself, this often; it may come between any two steps of another exchange.
    pub unsolicited: Option<Time>,
    pub about: String,
}

/// Where the conversation rests.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub name: Name,
    pub may: Vec<ExchangeId>,
    pub about: String,
}

/// A frame with its binds, as in a talk: `failed(data = "", status = 1)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub frame: FrameId,
    pub binds: Vec<Bind>,
}

/// `[refusals]`: what a device may send in place of any reply, and what it sends when.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Refusals {
    pub frames: Vec<FrameId>,
    /// An effect lies outside every memory region.
    pub outside: Option<Answer>,
    /// A known frame at the wrong moment.
    pub state: Option<Answer>,
    /// A healthy frame that the table does not know.
    pub unknown: Option<Answer>,
    /// A frame whose checksum is wrong.
    pub damaged: Option<Answer>,
    /// After `damaged` it is back in its state, and does not wait for the same frame once more.
    pub returns: bool,
}

/// `[device]`: what only the device knows, has and does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Device {
    pub knows: Vec<(Name, Value)>,
    /// Values that change each time the device sends them, in turn.
    pub cycles: Vec<(Name, Vec<Value>)>,
    pub memory: Vec<Region>,
    /// What it does with what it cannot read.
    pub damaged: Quiet,
    /// What it does when nothing comes for so long.
    pub silence: Option<(Time, Quiet)>,
    /// Text lines that its application sends by itself when it runs (`app=1`, after `go`).
    pub application: Vec<String>,
    /// States in which the application runs.
    pub application_states: Vec<StateId>,
    /// The application's own rate, where it is not the line's.
    pub application_baud: Option<Baud>,
    /// On a shared line, whether a frame is for this device; the others it does not hear.
    pub hears: Option<Expr>,
}

/// What a device does that says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Quiet {
    /// Ignores it and stays.
    #[default]
    Stay,
    /// Leaves for the application, or resets itself.
    Leave,
}

/// A region of a device's memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    pub name: Name,
    pub base: u64,
    pub size: u64,
    pub erased: u8,
    pub page: Option<u64>,
    /// (count, size) in order of address.
    pub sectors: Vec<(u64, u64)>,
    /// Programming can only clear bits.
    pub clears: bool,
    pub ram: bool,
    /// What it holds at the start, from its base on.
    pub content: Blob,
}

impl Region {
    /// Address and size of the unit of erasing with this number: its sectors one by one, else its pages, else the whole.
    pub fn unit(&self, number: u64) -> Option<(u64, u64)> {
        let (mut first, mut offset) = (0_u64, 0_u64);
        for &(count, size) in &self.sectors {
            if number < first.saturating_add(count) {
                let offset = offset.checked_add((number - first).checked_mul(size)?)?;
                return Some((self.base.checked_add(offset)?, size));
            }
            first = first.saturating_add(count);
            offset = offset.checked_add(count.checked_mul(size)?)?;
        }
        let size = self.page.unwrap_or(self.size);
        let offset = number.checked_mul(size)?;
        if !self.sectors.is_empty() || offset >= self.size {
            return None;
        }
        Some((self.base.checked_add(offset)?, size.min(self.size - offset)))
    }

    /// The first and the last unit of erasing that these bytes touch; `None` where they do not lie in the region.
    pub fn units(&self, at: u64, size: u64) -> Option<(u64, u64)> {
        let last = at.checked_add(size.max(1) - 1)?;
        let holds = self.base <= at && last - self.base < self.size;
        holds.then(|| Some((self.unit_at(at)?, self.unit_at(last)?)))?
    }

    /// The number of the unit of erasing that holds an address of this region.
    fn unit_at(&self, address: u64) -> Option<u64> {
        let mut left = address.checked_sub(self.base)?;
        let mut number = 0;
        for &(count, size) in &self.sectors {
            let all = count.checked_mul(size)?;
            if left < all {
                return Some(number + left / size);
            }
            (left, number) = (left - all, number + count);
        }
        self.sectors.is_empty().then(|| left / self.page.unwrap_or(self.size))
    }
}

/// `[probe]`: how to find out whether this device is there.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    pub run: Talk,
    pub risk: Risk,
    /// What a wrong device may do with it.
    pub warning: String,
}

/// What a wrong device may do with an opener (bootloaders.md 0.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Risk {
    /// Reads something, or is ignored.
    Harmless,
    /// May lock another device's baud or leave its application; only by name.
    Disturbing,
    /// May reset, erase or write; only by name.
    Dangerous,
}

/// `[reset]`: control line scripts, alternatives in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResetSequences {
    pub enter: Vec<Vec<ScriptStep>>,
    pub leave: Vec<Vec<ScriptStep>>,
}

/// `[chips]`: what a kept value says of the device.
#[derive(Clone, Debug, PartialEq)]
pub struct Chip {
    /// The kept name and its value.
    pub by: Name,
    pub value: Value,
    pub title: String,
    pub memory: Vec<Region>,
    pub parameters: Vec<(Name, Value)>,
}

/// `[[meaning]]`: what something says to whoever did not expect it.
#[derive(Clone, Debug, PartialEq)]
pub struct Meaning {
    pub of: MeaningOf,
    /// Exchanges after whose start it has this meaning; empty: always.
    pub after: Vec<ExchangeId>,
    pub means: String,
    pub cause: Option<String>,
    pub remedy: Option<String>,
}

/// `[[message]]`: a line that another tool prints, and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolMessage {
    /// "avrdude".
    pub tool: String,
    /// As it is printed; `{name}` stands for digits, and if the table it is about has a field of that name, its values explain them.
    pub text: String,
    /// The protocol it is about.
    pub table: Option<Name>,
    /// The byte that was due in place of the one in the hole `{byte}`.
    pub expected: Option<u8>,
    pub means: String,
    pub cause: Option<String>,
    pub remedy: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum MeaningOf {
    Bytes(Bytes),
    Frame(FrameId),
    /// A field's value.
    Field(Name, i128),
    Silence,
}

/// `[[vector]]`: a piece of a real conversation that the table must read and write.
#[derive(Clone, Debug, PartialEq)]
pub struct Vector {
    pub name: String,
    /// Directions and bytes.
    pub talk: Vec<(crate::line::Direction, Bytes)>,
    /// Frames that they are, in order; empty: any frame of the table.
    pub frames: Vec<FrameId>,
    /// Fields that must come out.
    pub fields: Vec<(Name, Value)>,
    /// Parameters as they are in it.
    pub set: Vec<(Name, Value)>,
    /// It must be refused.
    pub wrong: bool,
}

/// How people write the bytes or the number of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    Hex,
    Decimal,
    /// Two digits a byte, the first byte lowest.
    BcdLittle,
    BcdBig,
    Text,
}
