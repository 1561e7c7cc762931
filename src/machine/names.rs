//! Names resolved once: every name that a talk or a frame can ask for has a key, and the machine compares keys.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use crate::frame::{Allowed, BitField, Expr, Field, FieldType, Frame, ItemKind, Layout, Name, Path};
use crate::protocol::{FrameId, Table};

/// A name's place in [`Names`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key(pub u32);

/// What a name can be, beside a name in scope.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Meant {
    Plain,
    /// `asked.field`: the last frame of the other side.
    Asked(Name),
    /// `last.field`: the last frame of the same side.
    Last(Name),
    /// `first.rest`: a frame's field, or what is known of a value.
    Dotted {
        first: Key,
        frame: Option<FrameId>,
        field: Name,
        of: Option<Attribute>,
    },
}

/// What can be asked of bytes by a dot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attribute {
    Size,
    At,
}

/// Every name of a table.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    keys: HashMap<Path, Key, FixedState>,
    paths: Vec<Path>,
    meant: Vec<Meant>,
    /// The fields of each frame, and those of them that some expression asks for as `last.field` or `asked.field`.
    fields: Vec<Vec<Name>>,
    followed: Vec<Vec<Name>>,
    frames: HashMap<Name, FrameId>,
    /// Frames of which some expression asks for a field by the frame's name.
    asked_for: Vec<FrameId>,
    /// Names for numbers, by key: the field they belong to, the number.
    constants: Vec<Vec<(Name, i128)>>,
    /// Names that a talk binds; a constant of another field is never meant by them.
    variables: Vec<bool>,
}

impl Names {
    pub fn of(table: &Table) -> Names {
        let mut names = Names::default();
        for (id, frame) in table.frames.iter().enumerate() {
            names.frames.insert(frame.name().clone(), FrameId(id));
            names.fields.push(frame.layout().names());
            names.followed.push(Vec::new());
        }
        for frame in &table.frames {
            names.add_frame(frame);
        }
        for (field, values) in &table.values {
            for value in values {
                let key = names.plain(&value.name);
                names.constants[key.0 as usize].push((field.clone(), value.value));
            }
        }
        let refusals = &table.refusals;
        let answers = [&refusals.outside, &refusals.state, &refusals.unknown, &refusals.damaged];
        for bind in answers.into_iter().flatten().flat_map(|answer| &answer.binds) {
            names.add_expr(&bind.value);
        }
        let parameters = table.parameters.iter().map(|parameter| &parameter.name);
        let knows = table.device.knows.iter().map(|(name, _)| name);
        let cycles = table.device.cycles.iter().map(|(name, _)| name);
        let own = table.exchanges.iter().flat_map(|exchange| exchange.with.iter().chain(&exchange.keep));
        for name in parameters.chain(knows).chain(cycles).chain(own) {
            names.variable(name);
        }
        table.device.hears.iter().for_each(|hears| names.add_expr(hears));
        names
    }

    fn add_frame(&mut self, frame: &Frame) {
        for name in frame.layout().names() {
            self.plain(&name);
        }
        expressions(frame.layout(), &mut |expr| self.add_expr(expr));
    }

    /// Gives every path of an expression a key.
    pub fn add_expr(&mut self, expr: &Expr) {
        for (path, _) in expr.paths() {
            self.add(path);
        }
    }

    /// The key of a name without a dot.
    pub fn plain(&mut self, name: &Name) -> Key {
        self.add(&Path { first: name.clone(), rest: None })
    }

    /// The same, for a name that a talk binds.
    pub fn variable(&mut self, name: &Name) -> Key {
        let key = self.plain(name);
        self.variables[key.0 as usize] = true;
        key
    }

    /// The key of `first.rest`.
    pub fn dotted(&mut self, first: &Name, rest: &str) -> Key {
        self.add(&Path { first: first.clone(), rest: Some(rest.into()) })
    }

    fn add(&mut self, path: &Path) -> Key {
        if let Some(&key) = self.keys.get(path) {
            return key;
        }
        let meant = match &path.rest {
            None => Meant::Plain,
            Some(rest) if &*path.first == "asked" => Meant::Asked(self.follow(rest)),
            Some(rest) if &*path.first == "last" => Meant::Last(self.follow(rest)),
            Some(rest) => {
                let of = match &**rest {
                    "size" => Some(Attribute::Size),
                    "at" => Some(Attribute::At),
                    _ => None,
                };
                let first = self.plain(&path.first);
                let frame = self.frames.get(&path.first).copied();
                self.asked_for.extend(frame);
                Meant::Dotted { first, frame, field: rest.clone(), of }
            }
        };
        let key = Key(self.paths.len() as u32);
        self.keys.insert(path.clone(), key);
        self.paths.push(path.clone());
        self.meant.push(meant);
        self.constants.push(Vec::new());
        self.variables.push(false);
        key
    }

    fn follow(&mut self, field: &Name) -> Name {
        for (own, followed) in self.fields.iter().zip(&mut self.followed) {
            if own.contains(field) && !followed.contains(field) {
                followed.push(field.clone());
            }
        }
        field.clone()
    }

    /// Fields of a frame that some expression asks for as `last.field` or `asked.field`.
    pub fn followed_of(&self, frame: FrameId) -> &[Name] {
        &self.followed[frame.0]
    }

    /// Whether an expression asks for a field of this frame by the frame's name.
    pub fn asks_for(&self, frame: FrameId) -> bool {
        self.asked_for.contains(&frame)
    }

    pub fn key(&self, path: &Path) -> Option<Key> {
        self.keys.get(path).copied()
    }

    pub fn key_of(&self, name: &Name) -> Option<Key> {
        self.key(&Path { first: name.clone(), rest: None })
    }

    pub fn meant(&self, key: Key) -> &Meant {
        &self.meant[key.0 as usize]
    }

    pub fn name(&self, key: Key) -> &Name {
        &self.paths[key.0 as usize].first
    }

    /// Whether it is a name without a dot.
    pub fn is_plain(&self, key: Key) -> bool {
        self.meant[key.0 as usize] == Meant::Plain
    }

    pub fn len(&self) -> usize {
        self.paths.len()
    }

    pub fn frame(&self, name: &Name) -> Option<FrameId> {
        self.frames.get(name).copied()
    }

    /// The number that a name stands for when it is bound to `field`; without a field, or with another one, when no talk binds
    /// that name.
    pub fn constant(&self, key: Key, field: Option<&Name>) -> Option<i128> {
        let constants = &self.constants[key.0 as usize];
        let own = constants.iter().find(|(of, _)| Some(of) == field);
        let any = || constants.first().filter(|_| !self.variables[key.0 as usize]);
        own.or_else(any).map(|(_, number)| *number)
    }
}

/// Whether every name in a layout is one of its own fields, so that it reads the same whatever is known.
pub(super) fn asks_nothing(layout: &Layout) -> bool {
    let own = layout.names();
    let mut nothing = true;
    expressions(layout, &mut |expr| {
        let outside = |path: &Path| path.rest.is_some() || !own.contains(&path.first);
        nothing &= !expr.paths().iter().any(|(path, _)| outside(path));
    });
    nothing
}

/// Hands over every expression of a layout, at any depth.
fn expressions(layout: &Layout, take: &mut dyn FnMut(&Expr)) {
    for item in &layout.items {
        match &item.kind {
            ItemKind::Literal { .. } | ItemKind::Again { .. } => {}
            ItemKind::Field(field) => field_expressions(field, take),
            ItemKind::Bits(bits) => bits.iter().for_each(|bit| bit_expressions(bit, take)),
            ItemKind::Optional { body, when } => {
                take(when);
                expressions(body, take);
            }
            ItemKind::Repeat { body, count } => {
                count.iter().for_each(&mut *take);
                expressions(body, take);
            }
        }
    }
}

fn field_expressions(field: &Field, take: &mut dyn FnMut(&Expr)) {
    if let Some(transform) = &field.transform {
        take(&transform.by);
    }
    allowed_expressions(&field.allowed, take);
    match &field.kind {
        FieldType::Number { .. } | FieldType::Natural(_) | FieldType::Dec => {}
        FieldType::Sized { bytes, .. } => take(bytes),
        FieldType::Hex(size) | FieldType::Uu(size) => take(size),
        FieldType::Bytes(size) | FieldType::Text(size) => size.iter().for_each(take),
        FieldType::Part { body, size } => {
            size.iter().for_each(&mut *take);
            expressions(body, take);
        }
        FieldType::Cbor(keys) => keys.iter().for_each(|key| allowed_expressions(&key.allowed, take)),
    }
}

fn bit_expressions(bit: &BitField, take: &mut dyn FnMut(&Expr)) {
    if let Some(transform) = &bit.transform {
        take(&transform.by);
    }
    allowed_expressions(&bit.allowed, take);
}

fn allowed_expressions(allowed: &Allowed, take: &mut dyn FnMut(&Expr)) {
    if let Allowed::Equal(expr) | Allowed::Sends { first: expr, .. } = allowed {
        take(expr);
    }
}
