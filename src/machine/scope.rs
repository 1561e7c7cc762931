//! What a thread knows: the names of its exchange, the frames seen in it, and where its loops stand.
//!
//! Scopes are shared between threads and copied when one of them writes.

use std::sync::{Arc, LazyLock};

use crate::frame::{Blob, Name, Value, Values};
use crate::line::Direction;
use crate::protocol::{ExchangeId, FrameId};

use super::gathered::Gathered;
use super::names::{Key, Names};
use super::program::Pc;

/// Everything that names can be looked up in, apart from what is the same for all threads.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    pub scope: Arc<Scope>,
    /// Names that outlived their exchange.
    pub kept: Kept,
    /// What `last.field` and `asked.field` stand for: each side's latest value, be it in its last frame or in one before.
    pub followed: [Followed; 2],
}

pub(super) type Kept = Arc<Vec<(Key, Value)>>;

/// The latest values of one side, by field.
pub(super) type Followed = Arc<Vec<(Name, Value)>>;

impl Default for Place {
    fn default() -> Place {
        static NOTHING: LazyLock<(Kept, Followed)> = LazyLock::new(Default::default);
        let (kept, followed) = &*NOTHING;
        Place {
            scope: Scope::none(),
            kept: Arc::clone(kept),
            followed: [Arc::clone(followed), Arc::clone(followed)],
        }
    }
}

impl Place {
    /// Takes the values of a frame that other expressions ask for.
    pub fn follow(&mut self, names: &Names, frame: FrameId, direction: Direction, values: &Values) {
        let followed = &mut self.followed[side(direction)];
        for field in names.followed_of(frame) {
            let Some(value) = values.get(field) else { continue };
            match followed.iter().position(|(known, _)| known == field) {
                Some(place) if followed[place].1 == *value => {}
                Some(place) => Arc::make_mut(followed)[place].1 = value.clone(),
                None => Arc::make_mut(followed).push((field.clone(), value.clone())),
            }
        }
    }

    /// The scope around all calls.
    pub fn root(&self) -> Arc<Scope> {
        let mut root = &self.scope;
        while let Some(parent) = &root.parent {
            root = parent;
        }
        Arc::clone(root)
    }

    /// The latest value of a side's field.
    pub fn latest(&self, direction: Direction, field: &Name) -> Option<&Value> {
        self.followed[side(direction)].iter().find(|(known, _)| known == field).map(|(_, value)| value)
    }
}

/// A frame that was sent or heard.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Heard {
    pub frame: FrameId,
    pub values: Values,
}

/// Which of two sides a direction is, host before device.
pub(super) fn side(direction: Direction) -> usize {
    match direction {
        Direction::Tx => 0,
        Direction::Rx => 1,
    }
}

/// Names that most frames have at most.
const ROOM: usize = 4;

/// The names of one call.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Scope {
    pub parent: Option<Arc<Scope>>,
    pub exchange: Option<ExchangeId>,
    names: Vec<(Key, Known)>,
    frames: Vec<Heard>,
    pub loops: Vec<Loop>,
    /// Starts of groups, with what was known there.
    marks: Vec<(Pc, Arc<Scope>)>,
}

/// What a name stands for.
#[derive(Clone, Debug)]
pub(super) enum Known {
    Value(Value),
    /// A piece of known data; its size may follow from what is heard in this round.
    Piece {
        data: Blob,
        offset: usize,
        each: Pc,
    },
    /// It has a value that nobody knows who only listens.
    Unknown,
    /// `name = expr` of the device, bound when needed.
    Later {
        effect: Pc,
        place: Arc<Place>,
    },
}

impl PartialEq for Known {
    fn eq(&self, other: &Known) -> bool {
        match (self, other) {
            (Known::Value(a), Known::Value(b)) => a == b,
            (Known::Piece { data: a, offset: i, each: x }, Known::Piece { data: b, offset: j, each: y }) => {
                (i, x) == (j, y) && a == b
            }
            (Known::Later { effect: a, place: x }, Known::Later { effect: b, place: y }) => {
                a == b && Arc::ptr_eq(x, y)
            }
            (Known::Unknown, Known::Unknown) => true,
            _ => false,
        }
    }
}

/// Where a loop stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Loop {
    pub at: Pc,
    /// Bytes of the data before this round.
    pub offset: u64,
    /// The most that was ever done with: a peer that sets the pace may go back.
    pub farthest: u64,
    pub index: u64,
    /// What was heard so far, for those who do not hold the data.
    pub gathered: Gathered,
    /// The place in the data is not known any more; the next index or offset on the wire tells.
    pub lost: bool,
}

impl Clone for Scope {
    /// Whoever takes a copy is about to learn something: there is room for it.
    fn clone(&self) -> Scope {
        let mut names = Vec::with_capacity(self.names.len() + ROOM);
        names.extend_from_slice(&self.names);
        Scope {
            parent: self.parent.clone(),
            exchange: self.exchange,
            names,
            frames: self.frames.clone(),
            loops: self.loops.clone(),
            marks: self.marks.clone(),
        }
    }
}

impl Scope {
    /// Nothing is known.
    pub fn none() -> Arc<Scope> {
        static NONE: LazyLock<Arc<Scope>> = LazyLock::new(Arc::default);
        Arc::clone(&NONE)
    }

    /// The scope of a call made from `parent`.
    pub fn call(parent: &Arc<Scope>, exchange: ExchangeId) -> Scope {
        Scope { parent: Some(Arc::clone(parent)), exchange: Some(exchange), ..Scope::default() }
    }

    pub fn get(&self, key: Key) -> Option<&Known> {
        self.names.iter().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    pub fn set(&mut self, key: Key, value: Known) {
        match self.names.iter_mut().find(|(known, _)| *known == key) {
            Some((_, old)) => *old = value,
            None => self.names.push((key, value)),
        }
    }

    pub fn set_value(&mut self, key: Key, value: Value) {
        self.set(key, Known::Value(value));
    }

    pub fn set_number(&mut self, key: Key, number: u64) {
        self.set_value(key, Value::Int(number.into()));
    }

    pub fn forget(&mut self, key: Key) {
        self.names.retain(|(known, _)| *known != key);
    }

    /// Names with their values, as far as they are plain values.
    pub fn values(&self) -> impl Iterator<Item = (Key, &Value)> {
        self.names.iter().filter_map(|(key, known)| match known {
            Known::Value(value) => Some((*key, value)),
            Known::Piece { .. } | Known::Unknown | Known::Later { .. } => None,
        })
    }

    /// A field of the last frame of that name.
    pub fn field(&self, frame: FrameId, field: &Name) -> Option<&Value> {
        self.frames.iter().find(|heard| heard.frame == frame)?.values.get(field)
    }

    pub fn set_frame(&mut self, heard: Heard) {
        match self.frames.iter_mut().find(|known| known.frame == heard.frame) {
            Some(known) => *known = heard,
            None => self.frames.push(heard),
        }
    }

    pub fn knows_frame(&self, frame: FrameId) -> bool {
        self.frames.iter().any(|known| known.frame == frame)
    }

    pub fn forget_frame(&mut self, frame: FrameId) {
        self.frames.retain(|known| known.frame != frame);
    }

    pub fn loop_at(&self, pc: Pc) -> Option<&Loop> {
        self.loops.iter().find(|known| known.at == pc)
    }

    pub fn set_loop(&mut self, state: Loop) {
        match self.loops.iter_mut().find(|known| known.at == state.at) {
            Some(known) => *known = state,
            None => self.loops.push(state),
        }
    }

    pub fn end_loop(&mut self, pc: Pc) {
        self.loops.retain(|known| known.at != pc);
    }

    /// The start of a group: what is known now is what `again` returns to.
    pub fn mark(&mut self, pc: Pc) {
        let known = Arc::new(Scope { marks: Vec::new(), ..self.clone() });
        self.marks.retain(|(at, _)| *at != pc);
        self.marks.push((pc, known));
    }

    /// Back to the mark; what was bound since is forgotten.
    pub fn return_to(&mut self, pc: Pc) {
        let Some(known) = self.marks.iter().find(|(at, _)| *at == pc).map(|(_, known)| Scope::clone(known))
        else {
            return;
        };
        let marks = std::mem::take(&mut self.marks);
        *self = Scope { marks, ..known };
    }
}
