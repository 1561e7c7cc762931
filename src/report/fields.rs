//! What the layout of a frame says of its fields, for whoever shows them: which are text, and which tell nothing new.

use crate::frame::{Allowed, FieldType, ItemKind, Layout, Name};
use crate::protocol::Table;

/// Names of fields by how they are shown.
#[derive(Debug, Default)]
pub struct Manner {
    /// Text, not bytes.
    pub texts: Vec<Name>,
    /// Computed from others, constant, or made of fields that have names themselves.
    pub quiet: Vec<Name>,
}

impl Manner {
    /// Of the frame of this name.
    pub fn of(table: &Table, frame: &str) -> Manner {
        let mut manner = Manner::default();
        if let Some(frame) = table.frames.iter().find(|known| &**known.name() == frame) {
            manner.look_at(frame.layout());
        }
        manner
    }

    /// Whether anything in it has a name.
    fn look_at(&mut self, layout: &Layout) -> bool {
        let mut named = false;
        for item in &layout.items {
            match &item.kind {
                ItemKind::Field(field) => {
                    let inner = match &field.kind {
                        FieldType::Part { body, .. } => self.look_at(body),
                        _ => false,
                    };
                    let Some(name) = &field.name else {
                        named |= inner;
                        continue;
                    };
                    named = true;
                    if matches!(field.kind, FieldType::Text(_)) {
                        self.texts.push(name.clone());
                    }
                    if inner || matches!(field.allowed, Allowed::Equal(_)) {
                        self.quiet.push(name.clone());
                    }
                }
                ItemKind::Bits(bits) => {
                    for bit in bits {
                        let Some(name) = &bit.name else { continue };
                        named = true;
                        if matches!(bit.allowed, Allowed::Equal(_)) {
                            self.quiet.push(name.clone());
                        }
                    }
                }
                ItemKind::Optional { body, .. } | ItemKind::Repeat { body, .. } => {
                    named |= self.look_at(body)
                }
                ItemKind::Literal { .. } | ItemKind::Again { .. } => {}
            }
        }
        named
    }
}
