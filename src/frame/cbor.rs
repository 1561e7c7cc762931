//! Small CBOR maps (RFC 8949) as fields: the keys a layout names, the others are stepped over.

use minicbor::data::Type;
use minicbor::{Decoder, Encoder};

use super::layout::CborType;
use super::parse::{Reader, Step, Stop, wrong};
use super::program::{Check, Key, is_one_of};
use super::value::Value;

/// One key that was there: which of the layout's, its value, where that stands.
type Seen = (usize, Value, (usize, usize));

/// Reads a map at `p`; gives where it ends.
pub fn read<'p>(reader: &mut Reader<'p, '_>, keys: &'p [Key], p: usize, limit: Option<usize>) -> Step<usize> {
    let here = reader.available(p, limit);
    let whole = reader.closed || limit.is_some_and(|limit| limit <= reader.end());
    let mut decoder = Decoder::new(here);
    let seen = match map(&mut decoder, keys) {
        Ok(seen) => seen,
        Err(error) if error.is_end_of_input() && !whole => return Err(Stop::More(1)),
        Err(error) => {
            let at = error.position().unwrap_or(decoder.position());
            return Err(wrong(p + at.min(here.len()), format!("a CBOR map: {error}")));
        }
    };
    let end = p + decoder.position();
    let mut missing = vec![true; keys.len()];
    for (place, value, (from, to)) in seen {
        let Some(key) = keys.get(place) else { continue };
        missing[place] = false;
        reader.found(key.slot, Some(value), (p + from, p + to), &key.check, 64)?;
    }
    for (key, missing) in keys.iter().zip(missing) {
        if !missing {
            continue;
        }
        // A key that is not there reads as 0.
        let allows_nothing = match &key.check {
            Check::Any | Check::Computed { .. } => true,
            Check::Fixed(value) => *value == Value::Int(0),
            Check::OneOf(ranges) | Check::Sends { others: ranges, .. } => is_one_of(ranges, 0),
        };
        if !key.optional || !allows_nothing {
            reader.fault(p, |_| format!("key `{}`", key.name))?;
        }
        reader.absent(key.slot, end);
    }
    Ok(end)
}

fn map(decoder: &mut Decoder<'_>, keys: &[Key]) -> Result<Vec<Seen>, minicbor::decode::Error> {
    let mut left = decoder.map()?;
    let mut seen = Vec::new();
    loop {
        match &mut left {
            Some(0) => return Ok(seen),
            Some(left) => *left -= 1,
            None if decoder.datatype()? == Type::Break => {
                decoder.skip()?;
                return Ok(seen);
            }
            None => {}
        }
        let known = match decoder.datatype()? {
            Type::String => {
                let name = decoder.str()?;
                keys.iter().position(|key| &*key.name == name)
            }
            _ => {
                decoder.skip()?;
                None
            }
        };
        let from = decoder.position();
        match known.and_then(|place| Some((place, keys.get(place)?))) {
            None => decoder.skip()?,
            Some((place, key)) => {
                let value = value(decoder, key.kind)?;
                seen.push((place, value, (from, decoder.position())));
            }
        }
    }
}

fn value(decoder: &mut Decoder<'_>, kind: CborType) -> Result<Value, minicbor::decode::Error> {
    Ok(match kind {
        CborType::Uint => Value::Int(decoder.u64()?.into()),
        CborType::Bool => Value::Int(decoder.bool()?.into()),
        CborType::Bytes => Value::bytes(decoder.bytes()?.to_vec()),
        CborType::Text => Value::bytes(decoder.str()?.as_bytes().to_vec()),
    })
}

/// A map of these keys, in this order; the error names the key whose value is of another kind.
pub fn write(entries: &[(&Key, Value)], into: &mut Vec<u8>) -> Result<(), usize> {
    let mut encoder = Encoder::new(Vec::new());
    // Writing to memory does not fail.
    let _ = encoder.map(entries.len() as u64);
    for (place, (key, value)) in entries.iter().enumerate() {
        let _ = encoder.str(&key.name);
        let written = match (key.kind, value) {
            (CborType::Uint, Value::Int(number)) => {
                encoder.u64(u64::try_from(*number).map_err(|_| place)?).is_ok()
            }
            (CborType::Bool, Value::Int(number)) => encoder.bool(*number != 0).is_ok(),
            (CborType::Bytes, Value::Bytes(blob)) => encoder.bytes(&blob.bytes).is_ok(),
            (CborType::Text, Value::Bytes(blob)) => {
                encoder.str(std::str::from_utf8(&blob.bytes).map_err(|_| place)?).is_ok()
            }
            _ => return Err(place),
        };
        if !written {
            return Err(place);
        }
    }
    into.extend_from_slice(encoder.writer());
    Ok(())
}
