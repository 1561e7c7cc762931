//! One piece of a conversation, as a result shows it.

use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::diagnose::Verdict;
use crate::frame::{Name, Value};
use crate::line::{Direction, Fault};
use crate::machine::{Candidate, Elsewhere, Framed, Item, ItemKind, Part, Said, Silence, Unexpected};
use crate::protocol::Table;

use super::fields::Manner;
use super::json::rounded;
use super::{Page, Report, value};

/// An item of `hsdiag.decode/1`. What does not apply is left out.
#[derive(Clone, Debug, Serialize)]
pub struct ItemFace {
    /// When its last byte was in, in seconds.
    pub at: f64,
    pub dir: &'static str,
    pub hex: String,
    /// "frame", "unexpected", "break", "silence" or "settings".
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<Map<String, Json>>,
    /// How people write those fields that they do not write as numbers or hex, and the names of their values.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub shown: Map<String, Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<String>,
    /// "expected", "repeat", "ignored", "unsolicited", "refusal", "foreign" or "found".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// What the receiver reported of its bytes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FaultFace>,
    /// What is wrong in a frame that was read all the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub wrong: Vec<WrongFace>,
    /// What could have come here, and why the bytes are not that.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expected: Vec<ExpectedFace>,
    /// What the bytes would be elsewhere in this protocol.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub elsewhere: Vec<ElsewhereFace>,
    /// What the protocol says of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub means: Vec<MeansFace>,
    /// What its bytes were: "header", "frame", "status", "text", "missampled", "noise", "echo" or "unknown"; and how sure that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// Of a silence: how long it was waited, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waited_s: Option<f64>,
    /// Of a change of settings: "115200 8N1".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings: Option<String>,
    /// Fields that the text leaves out.
    #[serde(skip)]
    pub quiet: Vec<Name>,
}

#[derive(Clone, Debug, Serialize)]
pub struct FaultFace {
    /// Which byte, from 0.
    pub byte: usize,
    pub fault: &'static str,
}

#[derive(Clone, Debug, Serialize)]
pub struct WrongFace {
    /// Which byte, from 0.
    pub byte: usize,
    pub expected: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct ExpectedFace {
    pub frame: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<String>,
    pub dir: &'static str,
    /// Which byte is not as this frame has it, and what it should have been; absent when only the side is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrong: Option<WrongFace>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ElsewhereFace {
    pub frame: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The bytes are this frame as a whole, not only its beginning.
    pub whole: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MeansFace {
    pub by: String,
    pub means: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl ItemFace {
    /// With what the diagnosis says of its bytes.
    pub fn judged(self, verdict: Option<(Verdict, f64)>) -> ItemFace {
        let Some((verdict, probability)) = verdict else { return self };
        ItemFace { verdict: Some(verdict.word()), probability: Some(rounded(probability, 4)), ..self }
    }

    pub fn new(item: &Item, table: &Table) -> ItemFace {
        let mut face = ItemFace {
            at: rounded(item.at.secs(), 9),
            dir: direction(item.direction),
            hex: item.bytes.iter().map(|byte| format!("{byte:02X}")).collect(),
            kind: "break",
            frame: None,
            fields: None,
            shown: Map::new(),
            exchange: None,
            part: None,
            state: item.state.as_ref().map(ToString::to_string),
            faults: item
                .faults
                .iter()
                .map(|(byte, fault)| FaultFace { byte: *byte, fault: word(*fault) })
                .collect(),
            wrong: Vec::new(),
            expected: Vec::new(),
            elsewhere: Vec::new(),
            means: Vec::new(),
            verdict: None,
            probability: None,
            waited_s: None,
            settings: None,
            quiet: Vec::new(),
        };
        match &item.kind {
            ItemKind::Frame(framed) => face.frame(framed, table),
            ItemKind::Unexpected(unexpected) => face.unexpected(unexpected),
            ItemKind::Silence(silence) => face.silence(silence),
            ItemKind::Settings { settings, .. } => {
                face.kind = "settings";
                face.settings = Some(settings.to_string());
            }
            ItemKind::Break => {}
        }
        face
    }

    fn frame(&mut self, framed: &Framed, table: &Table) {
        self.kind = "frame";
        self.frame = Some(framed.frame.to_string());
        self.exchange = framed.exchange.as_ref().map(ToString::to_string);
        let values = &framed.values;
        let manner = Manner::of(table, &framed.frame);
        self.fields = Some(values.iter().map(|(name, one)| (name.to_string(), value::json(one))).collect());
        let shown = |name: &Name, one: &Value| match manner.texts.contains(name) {
            true => value::shown(table, name, one).or(value::quoted(one)),
            false => value::shown(table, name, one),
        };
        self.shown = values
            .iter()
            .filter_map(|(name, one)| Some((name.to_string(), shown(name, one)?.into())))
            .collect();
        // What follows from the rest is worth a look only where something is wrong.
        if framed.wrong.is_empty() {
            self.quiet = manner.quiet;
        }
        self.wrong = framed.wrong.iter().map(wrong).collect();
        self.part = Some(match &framed.part {
            Part::Expected => "expected",
            Part::Repeat => "repeat",
            Part::Ignored => "ignored",
            Part::Unsolicited => "unsolicited",
            Part::Found => "found",
            Part::Foreign => "foreign",
            Part::Refusal(said) => {
                self.means = said.iter().map(means).collect();
                "refusal"
            }
        });
    }

    fn unexpected(&mut self, unexpected: &Unexpected) {
        self.kind = "unexpected";
        self.means = unexpected.said.iter().map(means).collect();
        self.expected = unexpected.expected.iter().map(expected).collect();
        self.elsewhere = unexpected.elsewhere.iter().map(elsewhere).collect();
    }

    fn silence(&mut self, silence: &Silence) {
        self.kind = "silence";
        self.waited_s = Some(rounded(silence.waited.as_secs_f64(), 6));
        self.exchange = silence.exchange.as_ref().map(ToString::to_string);
        self.means = silence.said.iter().map(means).collect();
        self.expected = silence
            .expected
            .iter()
            .map(|frame| ExpectedFace {
                frame: frame.to_string(),
                exchange: self.exchange.clone(),
                dir: self.dir,
                wrong: None,
            })
            .collect();
    }

    /// A healthy frame that answers another question.
    pub fn is_foreign(&self) -> bool {
        self.part == Some("foreign")
    }

    /// Whether it is as it should be.
    pub fn is_clean(&self) -> bool {
        match self.kind {
            "frame" => self.wrong.is_empty() && self.part != Some("refusal"),
            kind => kind == "break" || kind == "settings",
        }
    }
}

impl Report for ItemFace {
    const SCHEMA: &'static str = "hsdiag.monitor/1";

    fn text(&self, page: &mut Page) {
        super::item_text::write(page, self);
    }
}

fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Rx => "rx",
        Direction::Tx => "tx",
    }
}

fn word(fault: Fault) -> &'static str {
    match fault {
        Fault::Framing => "framing",
        Fault::Parity => "parity",
        Fault::FramingOrParity => "framing-or-parity",
        Fault::Break => "break",
        Fault::Overrun => "overrun",
    }
}

fn wrong(mismatch: &crate::frame::Mismatch) -> WrongFace {
    WrongFace { byte: mismatch.at, expected: mismatch.expected.clone() }
}

fn means(said: &Said) -> MeansFace {
    MeansFace {
        by: said.by.clone(),
        means: said.means.clone(),
        cause: said.cause.clone(),
        remedy: said.remedy.clone(),
    }
}

fn expected(candidate: &Candidate) -> ExpectedFace {
    ExpectedFace {
        frame: candidate.frame.to_string(),
        exchange: candidate.exchange.as_ref().map(ToString::to_string),
        dir: direction(candidate.direction),
        wrong: candidate.wrong.as_ref().map(wrong),
    }
}

fn elsewhere(place: &Elsewhere) -> ElsewhereFace {
    ElsewhereFace {
        frame: place.frame.to_string(),
        field: place.field.as_ref().map(ToString::to_string),
        exchange: place.exchange.as_ref().map(ToString::to_string),
        state: place.state.as_ref().map(ToString::to_string),
        whole: place.whole,
    }
}
