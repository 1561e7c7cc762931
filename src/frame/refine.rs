//! What `like` does to a layout: a field of that name, at any depth, is narrowed.

use std::sync::Arc;

use super::expr::Expr;
use super::layout::{
    Allowed, BitField, CborKey, Field, FieldType, Item, ItemKind, Layout, Refinement, Refines,
};
use super::layout_parse::DEEPEST;
use super::spelling::did_you_mean;
use super::text::{At, Mistake, Name};

/// What has a name in a layout.
enum Named<'a> {
    Field(&'a mut Field),
    Bits(&'a mut BitField),
    Key(&'a mut CborKey),
}

impl Layout {
    /// Every field, bit field and CBOR key with a name, at any depth, in written order.
    pub fn names(&self) -> Vec<Name> {
        let mut names = Vec::with_capacity(self.items.len());
        self.walk(&mut |item| match &item.kind {
            ItemKind::Field(field) => {
                names.extend(field.name.clone());
                if let FieldType::Cbor(keys) = &field.kind {
                    names.extend(keys.iter().map(|key| key.name.clone()));
                }
            }
            ItemKind::Bits(fields) => names.extend(fields.iter().filter_map(|field| field.name.clone())),
            _ => {}
        });
        names
    }

    /// What a field of that name (at any depth) takes from `like`; `None` when there is none.
    pub fn refines(&self, field: &str) -> Option<Refines> {
        self.items.iter().find_map(|item| item.refines(field))
    }

    /// Narrows the field of that name, at any depth.
    pub fn refine(&mut self, field: &str, with: Refinement) -> Result<(), Mistake> {
        let Some(named) = self.find(field) else {
            let names = self.names();
            let help = did_you_mean(field, names.iter().map(|name| &**name));
            return Err(mistake(format!("nothing in this frame is called `{field}`"), help));
        };
        match named {
            Named::Field(of) => narrow_field(of, with)?,
            Named::Bits(BitField { allowed, .. }) | Named::Key(CborKey { allowed, .. }) => {
                narrow(allowed, with, "a number")?;
            }
        }
        if self.depth() > DEEPEST {
            return Err(mistake(format!("more than {DEEPEST} parts within each other"), None));
        }
        Ok(())
    }

    /// Calls `visit` with every item, at any depth, in written order.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Item)) {
        for item in &self.items {
            visit(item);
            if let Some(body) = item.body() {
                body.walk(visit);
            }
        }
    }

    /// Calls `visit` with every expression in it, at any depth, in written order.
    pub fn exprs<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        self.walk(&mut |item| match &item.kind {
            ItemKind::Field(field) => {
                field.transform.iter().for_each(|transform| visit(&transform.by));
                match &field.kind {
                    FieldType::Sized { bytes: size, .. } | FieldType::Hex(size) | FieldType::Uu(size) => {
                        visit(size);
                    }
                    FieldType::Bytes(size) | FieldType::Text(size) | FieldType::Part { size, .. } => {
                        size.iter().for_each(&mut *visit);
                    }
                    FieldType::Cbor(keys) => {
                        keys.iter().filter_map(|key| key.allowed.expr()).for_each(&mut *visit);
                    }
                    FieldType::Number { .. } | FieldType::Dec | FieldType::Natural(_) => {}
                }
                field.allowed.expr().into_iter().for_each(&mut *visit);
            }
            ItemKind::Bits(fields) => {
                for field in fields {
                    field.transform.iter().for_each(|transform| visit(&transform.by));
                    field.allowed.expr().into_iter().for_each(&mut *visit);
                }
            }
            ItemKind::Optional { when, .. } => visit(when),
            ItemKind::Repeat { count, .. } => count.iter().for_each(&mut *visit),
            ItemKind::Literal { .. } | ItemKind::Again { .. } => {}
        });
    }

    fn depth(&self) -> usize {
        self.items.iter().filter_map(|item| item.body()).map(|body| 1 + body.depth()).max().unwrap_or(0)
    }

    fn find(&mut self, name: &str) -> Option<Named<'_>> {
        // Only that item becomes the layout's own.
        let item = self.items.iter_mut().find(|item| item.refines(name).is_some())?;
        match &mut Arc::make_mut(item).kind {
            ItemKind::Field(field) => find_in(field, name),
            ItemKind::Optional { body, .. } | ItemKind::Repeat { body, .. } => body.find(name),
            ItemKind::Bits(fields) => {
                fields.iter_mut().find(|bits| bits.name.as_deref() == Some(name)).map(Named::Bits)
            }
            ItemKind::Literal { .. } | ItemKind::Again { .. } => None,
        }
    }
}

impl Allowed {
    /// What a value is computed from.
    pub fn expr(&self) -> Option<&Expr> {
        match self {
            Allowed::Equal(expr) | Allowed::Sends { first: expr, .. } => Some(expr),
            Allowed::Any | Allowed::OneOf(_) => None,
        }
    }
}

impl Item {
    /// What is inside a part, an optional part or a repeated one.
    pub fn body(&self) -> Option<&Layout> {
        match &self.kind {
            ItemKind::Field(Field { kind: FieldType::Part { body, .. }, .. })
            | ItemKind::Optional { body, .. }
            | ItemKind::Repeat { body, .. } => Some(body),
            _ => None,
        }
    }

    /// What a field of that name takes, if this is it or has it within.
    fn refines(&self, field: &str) -> Option<Refines> {
        match &self.kind {
            ItemKind::Field(of) if of.name.as_deref() == Some(field) => Some(match of.kind {
                FieldType::Bytes(_) | FieldType::Text(_) | FieldType::Part { .. } => Refines::Bytes,
                FieldType::Cbor(_) => Refines::Cbor,
                _ => Refines::Number,
            }),
            ItemKind::Field(Field { kind: FieldType::Cbor(keys), .. }) => {
                keys.iter().any(|key| &*key.name == field).then_some(Refines::Number)
            }
            ItemKind::Bits(fields) => {
                fields.iter().any(|bits| bits.name.as_deref() == Some(field)).then_some(Refines::Number)
            }
            _ => self.body()?.refines(field),
        }
    }
}

fn find_in<'a>(field: &'a mut Field, name: &str) -> Option<Named<'a>> {
    if field.name.as_deref() == Some(name) {
        return Some(Named::Field(field));
    }
    match &mut field.kind {
        FieldType::Part { body, .. } => body.find(name),
        FieldType::Cbor(keys) => keys.iter_mut().find(|key| &*key.name == name).map(Named::Key),
        _ => None,
    }
}

fn narrow_field(field: &mut Field, with: Refinement) -> Result<(), Mistake> {
    match (&mut field.kind, with) {
        (FieldType::Cbor(keys), Refinement::Cbor(others)) => *keys = others,
        (FieldType::Cbor(_), _) => {
            return Err(mistake(
                "a map takes its keys".into(),
                Some("write \"cbor{off:uint data:bytes}\"".into()),
            ));
        }
        (_, Refinement::Cbor(_)) => {
            return Err(mistake("this field is not a map".into(), None));
        }
        (FieldType::Part { body, .. }, Refinement::Shape(shape)) => *body = shape,
        (FieldType::Bytes(size) | FieldType::Text(size), Refinement::Shape(shape)) => {
            field.kind = FieldType::Part { body: shape, size: size.take() };
        }
        (_, Refinement::Shape(_)) => {
            return Err(mistake("only bytes, texts and parts take a layout".into(), None));
        }
        (FieldType::Part { .. }, _) => {
            return Err(mistake(
                "a part takes a layout".into(),
                Some("write it as text: \"op:u8=2\"".into()),
            ));
        }
        (FieldType::Bytes(_) | FieldType::Text(_) | FieldType::Uu(_), with @ Refinement::Computed(_)) => {
            narrow(&mut field.allowed, with, "bytes")?;
        }
        (FieldType::Bytes(_) | FieldType::Text(_) | FieldType::Uu(_), _) => {
            return Err(mistake(
                "a number cannot be the value of bytes".into(),
                Some("write a layout as text".into()),
            ));
        }
        (_, with) => narrow(&mut field.allowed, with, "a number")?,
    }
    Ok(())
}

fn narrow(allowed: &mut Allowed, with: Refinement, takes: &str) -> Result<(), Mistake> {
    *allowed = match with {
        Refinement::Fixed(number) => Allowed::Equal(Expr::number(number)),
        Refinement::OneOf(ranges) if ranges.is_empty() => {
            return Err(mistake("an empty set allows nothing".into(), None));
        }
        Refinement::OneOf(ranges) => Allowed::OneOf(ranges),
        Refinement::Sends { others, .. } if others.is_empty() => {
            return Err(mistake(
                "nothing else is allowed than what is sent".into(),
                Some("write the expression without brackets, or the values that may come behind it".into()),
            ));
        }
        Refinement::Sends { first, others } => Allowed::Sends { first, others },
        Refinement::Computed(expr) => Allowed::Equal(expr),
        Refinement::Shape(_) | Refinement::Cbor(_) => {
            return Err(mistake(format!("this field takes {takes}, not a layout"), None));
        }
    };
    Ok(())
}

/// The place is that of the refinement in its table; only the reader of the table knows it.
fn mistake(says: String, help: Option<String>) -> Mistake {
    Mistake { at: At::default(), says, help }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(text: &str) -> Layout {
        Layout::parse(text).expect(text)
    }

    #[test]
    fn each_kind_of_field_says_what_it_takes() {
        let layout = layout("a:u8 <b:8> c:( d:bytes )(a) e:cbor{f:uint} g:text(2) h:dec");
        let takes: Vec<_> =
            ["a", "b", "c", "d", "e", "f", "g", "h", "x"].map(|name| layout.refines(name)).into();
        let [number, bytes, cbor] = [Refines::Number, Refines::Bytes, Refines::Cbor].map(Some);
        assert_eq!(takes, [number, number, bytes, bytes, cbor, number, bytes, number, None]);
    }

    #[test]
    fn bytes_become_a_part_of_the_same_length() {
        let mut refined = layout("n:u8 data:bytes(n)");
        refined.refine("data", Refinement::Shape(layout("op:u8 rest:bytes"))).expect("bytes take a layout");
        assert_eq!(refined.refines("op"), Some(Refines::Number));
        refined.refine("op", Refinement::Fixed(2)).expect("a field of the new part");
        let ItemKind::Field(Field { kind: FieldType::Part { body, size: Some(_) }, .. }) =
            &refined.items[1].kind
        else {
            panic!("not a part with a size")
        };
        let ItemKind::Field(op) = &body.items[0].kind else { panic!("not a field") };
        assert_eq!(op.allowed, Allowed::Equal(Expr::number(2)));
    }

    #[test]
    fn what_does_not_fit_a_field_is_refused() {
        let mut refined = layout("control:u8 data:bytes");
        let unknown = refined.refine("contrl", Refinement::Fixed(1)).expect_err("no such field");
        assert_eq!(unknown.says, "nothing in this frame is called `contrl`");
        assert_eq!(unknown.help.as_deref(), Some("did you mean `control`?"));
        assert!(refined.refine("data", Refinement::Fixed(1)).is_err());
        assert!(refined.refine("control", Refinement::Shape(layout("00"))).is_err());
        assert!(refined.refine("control", Refinement::OneOf(vec![])).is_err());
        assert!(refined.refine("control", Refinement::Cbor(vec![])).is_err());
    }

    #[test]
    fn a_chain_of_refinements_cannot_nest_without_end() {
        let mut refined = layout("data:bytes");
        let refused = (0..100).find_map(|_| {
            refined
                .refine("data", Refinement::Shape(layout("inner:( data:bytes )")))
                .err()
                .or_else(|| refined.refine("inner", Refinement::Shape(layout("data:bytes"))).err())
        });
        assert!(
            refused.is_none() || refused.is_some_and(|mistake| mistake.says.contains("within each other"))
        );
    }
}
