//! What a role understood of a conversation, piece by piece: frames, what did not fit, breaks, answers that did not come.

use bytes::Bytes;

use crate::frame::{Mismatch, Name, Values};
use crate::line::{Direction, Fault, Instant, Settings, Span};

/// One piece of a conversation. Pieces come in the order in which they ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// When its first byte was in; for a silence, when it began.
    pub from: Instant,
    /// When its last byte was in.
    pub at: Instant,
    pub direction: Direction,
    pub bytes: Bytes,
    /// What the receiver reported: which byte of `bytes`, and what.
    pub faults: Vec<(usize, Fault)>,
    /// Where the conversation rested when the exchange began; `None` while that is not known.
    pub state: Option<Name>,
    pub kind: ItemKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ItemKind {
    Frame(Framed),
    Unexpected(Unexpected),
    Break,
    /// A reply that did not come.
    Silence(Silence),
    /// From here on the line is expected at other settings (`@fast`).
    Settings {
        phase: Name,
        settings: Settings,
    },
}

/// A frame that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Framed {
    pub frame: Name,
    pub values: Values,
    /// The exchange it belongs to; `None` for what belongs to none (ignored, a refusal out of place).
    pub exchange: Option<Name>,
    pub part: Part,
    /// What is wrong in it, and was read past, or differs from what was asked; empty for a healthy frame in its place. `at` counts from the first byte of the item.
    pub wrong: Vec<Mismatch>,
}

/// What a frame is to the conversation.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// It is what the table lets come here.
    Expected,
    /// That side's last frame once more.
    Repeat,
    /// It may come at any time and means nothing to the conversation.
    Ignored,
    /// The device sent it by itself.
    Unsolicited,
    /// It stands in place of the reply, and says why.
    Refusal(Vec<Said>),
    /// It is healthy, and the frame that is due but for a value: it answers somebody else, or another question.
    Foreign,
    /// It was recognised before the conversation's place was known, or after it was lost.
    Found,
}

/// What something says to whoever did not expect it, in the words of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What says it: "code = 4", "nack", "silence".
    pub by: String,
    pub means: String,
    pub cause: Option<String>,
    pub remedy: Option<String>,
}

/// Bytes that are no frame the table lets come here.
#[derive(Clone, Debug, PartialEq)]
pub struct Unexpected {
    /// What could have come, and why the bytes are not that; likeliest first.
    pub expected: Vec<Candidate>,
    /// What the bytes would be elsewhere in this table.
    pub elsewhere: Vec<Elsewhere>,
    /// What the table's meanings say of them.
    pub said: Vec<Said>,
}

/// A frame that could have come.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    pub frame: Name,
    pub exchange: Option<Name>,
    pub direction: Direction,
    /// Why the bytes are not this frame; `None` when the frame only came from the wrong side.
    pub wrong: Option<Mismatch>,
}

/// A place of the same table at which the bytes would make sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    pub frame: Name,
    /// The field that would hold the first byte, where it is not a literal.
    pub field: Option<Name>,
    pub exchange: Option<Name>,
    pub state: Option<Name>,
    /// They are the whole frame, not only its beginning.
    pub whole: bool,
}

/// An answer that did not come.
#[derive(Clone, Debug, PartialEq)]
pub struct Silence {
    pub waited: Span,
    /// The frame that was not answered.
    pub after: Option<Name>,
    /// The frames any of which would have been the answer.
    pub expected: Vec<Name>,
    pub exchange: Option<Name>,
    pub said: Vec<Said>,
}

impl Item {
    /// Whether it is as it should be: a healthy frame in its place, a repeat, a break, a change of settings.
    pub fn is_clean(&self) -> bool {
        match &self.kind {
            ItemKind::Frame(framed) => framed.wrong.is_empty() && !matches!(framed.part, Part::Refusal(_)),
            ItemKind::Unexpected(_) | ItemKind::Silence(_) => false,
            ItemKind::Break | ItemKind::Settings { .. } => true,
        }
    }

    /// The frame, if it is one.
    pub fn framed(&self) -> Option<&Framed> {
        match &self.kind {
            ItemKind::Frame(framed) => Some(framed),
            _ => None,
        }
    }
}
