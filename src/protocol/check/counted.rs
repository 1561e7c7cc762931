//! What a layout says of its own lengths: where a part is always as long, so is the number that says how long it is.

use crate::frame::{
    Allowed, BinaryOp, Expr, ExprKind, Field, FieldType, Function, Item, ItemKind, Layout, Name, Times,
};
use crate::protocol::shape::{Known, is_counted};

/// The lengths that follow from the layout alone, by the fields that say them.
pub(super) fn lengths(layout: &Layout) -> Known {
    let mut known = Known::new();
    collect(layout, &mut known);
    known
}

fn collect(layout: &Layout, known: &mut Known) {
    let mut note = |name: &Option<Name>, allowed: &Allowed| {
        if let (Some(name), Allowed::Equal(expr)) = (name, allowed)
            && is_counted(allowed)
            && let Some(length) = value(expr, layout)
        {
            known.insert(name.clone(), length);
        }
    };
    for item in &layout.items {
        match &item.kind {
            ItemKind::Field(field) => note(&field.name, &field.allowed),
            ItemKind::Bits(fields) => fields.iter().for_each(|field| note(&field.name, &field.allowed)),
            _ => {}
        }
    }
    for item in &layout.items {
        if let ItemKind::Field(Field { kind: FieldType::Part { body, size }, .. }) = &item.kind {
            if let (Some(name), Some(width)) = (size.as_ref().and_then(name_alone), width(body)) {
                known.insert(name.clone(), width as i128);
            }
            collect(body, known);
        }
    }
}

fn value(expr: &Expr, layout: &Layout) -> Option<i128> {
    match &expr.kind {
        ExprKind::Number(number) => Some(*number),
        ExprKind::Call { function: Function::Size, args } => match args.first().map(|of| &of.kind) {
            Some(ExprKind::Path(path)) if path.rest.is_none() => between(layout, &path.first, &path.first),
            Some(ExprKind::Span { from: Some(from), to: Some(to) }) => between(layout, from, to),
            _ => None,
        },
        ExprKind::Binary(BinaryOp::Add, left, right) => {
            value(left, layout)?.checked_add(value(right, layout)?)
        }
        ExprKind::Binary(BinaryOp::Subtract, left, right) => {
            value(left, layout)?.checked_sub(value(right, layout)?)
        }
        _ => None,
    }
}

/// How many bytes lie from one item to another one, both included.
fn between(layout: &Layout, from: &Name, to: &Name) -> Option<i128> {
    let place = |name: &Name| layout.items.iter().position(|item| is_called(item, name));
    let items = layout.items.get(place(from)?..=place(to)?)?;
    items.iter().map(|item| width_of(item)).sum::<Option<usize>>().map(|width| width as i128)
}

fn is_called(item: &Item, name: &Name) -> bool {
    match &item.kind {
        ItemKind::Field(field) => field.name.as_ref() == Some(name),
        ItemKind::Bits(fields) => fields.iter().any(|field| field.name.as_ref() == Some(name)),
        _ => false,
    }
}

fn name_alone(expr: &Expr) -> Option<&Name> {
    match &expr.kind {
        ExprKind::Path(path) if path.rest.is_none() => Some(&path.first),
        _ => None,
    }
}

/// How many bytes a layout is, where that is always the same.
pub(super) fn width(layout: &Layout) -> Option<usize> {
    layout.items.iter().map(|item| width_of(item)).sum()
}

fn width_of(item: &Item) -> Option<usize> {
    let constant = |size: &Expr| size.as_number().and_then(|size| usize::try_from(size).ok());
    match &item.kind {
        ItemKind::Literal { bytes, times: Times::Exactly(times) } => bytes.len().checked_mul(*times as usize),
        ItemKind::Bits(fields) => {
            Some(fields.iter().map(|field| usize::from(field.width)).sum::<usize>() / 8)
        }
        ItemKind::Field(Field { kind, .. }) => match kind {
            FieldType::Number { bytes, .. } => Some(usize::from(*bytes)),
            FieldType::Bytes(Some(size)) | FieldType::Text(Some(size)) => constant(size),
            FieldType::Part { body, .. } => width(body),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths_of(text: &str) -> Vec<(String, i128)> {
        let known = lengths(&Layout::parse(text).expect(text));
        known.into_iter().map(|(name, length)| (name.to_string(), length)).collect()
    }

    #[test]
    fn a_length_is_known_where_what_it_counts_is_always_as_long() {
        let body = "body:( op:u8 address:u32le 00{2} )";
        assert_eq!(lengths_of(&format!("n:u8=size(body) {body}")), [("n".to_string(), 7)]);
        assert_eq!(lengths_of(&format!("n:u8=size(op..body)+2 op:u8 {body}")), [("n".to_string(), 10)]);
        assert_eq!(lengths_of(&format!("<:2 n:6=size(body)> {body}")), [("n".to_string(), 7)]);
        assert_eq!(lengths_of(&format!("n:u8 {body}(n)")), [("n".to_string(), 7)]);
        assert_eq!(lengths_of("n:u8=size(body) body:( op:u8 rest:bytes )"), []);
        assert_eq!(lengths_of("n:u8=4 body:bytes(n)"), []);
    }
}
