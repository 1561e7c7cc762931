//! What holds for every layout: values survive the wire, chunks do not matter, nothing panics.

use bytes::Bytes;
use proptest::prelude::*;

use super::codec::Frame;
use super::layout::Layout;
use super::reading::Outcome;
use super::text::Name;
use super::value::Value;
use super::{Envelope, Nothing};

/// A piece of a layout, and the values it is given.
#[derive(Clone, Debug)]
struct Piece {
    text: String,
    given: Vec<(String, Value)>,
}

impl Piece {
    fn new(text: impl Into<String>, given: &[(&str, Value)]) -> Piece {
        Piece {
            text: text.into(),
            given: given.iter().map(|(name, value)| (name.to_string(), value.clone())).collect(),
        }
    }

    /// `@` in a piece stands for its number, so that names do not meet.
    fn numbered(self, number: usize) -> Piece {
        let own = |text: &str| text.replace('@', &number.to_string());
        Piece {
            text: own(&self.text),
            given: self.given.into_iter().map(|(name, value)| (own(&name), value)).collect(),
        }
    }
}

fn data(longest: usize) -> impl Strategy<Value = Value> {
    prop::collection::vec(any::<u8>(), 0..=longest).prop_map(Value::bytes)
}

fn number(most: u64) -> impl Strategy<Value = Value> {
    (0..=most).prop_map(|number| Value::Int(number.into()))
}

fn numbers() -> impl Strategy<Value = Piece> {
    let types =
        [("u8", 8), ("u16le", 16), ("u16be", 16), ("u24be", 24), ("u32le", 32), ("u64be", 64), ("u64le", 64)];
    (prop::sample::select(types.to_vec()), any::<u64>()).prop_map(|((name, bits), number)| {
        Piece::new(format!("x@:{name}"), &[("x@", Value::Int((number >> (64 - bits)).into()))])
    })
}

fn pieces() -> impl Strategy<Value = Piece> {
    prop_oneof![
        Just(Piece::new("68", &[])),
        Just(Piece::new("\"OK\\r\\n\" 55{3}", &[])),
        Just(Piece::new("xor8(..)", &[])),
        Just(Piece::new("crc(CRC-16/MODBUS, ..) le", &[])),
        Just(Piece::new("sum@:u8=~sum8(..)", &[])),
        numbers(),
        any::<i16>().prop_map(|n| Piece::new("i@:i16be", &[("i@", Value::Int(n.into()))])),
        number(255).prop_map(|n| Piece::new("c@:u8 ~c@ =c@", &[("c@", n)])),
        (number(7), number(31)).prop_map(|(a, b)| Piece::new(
            "<a@:3 b@:5 :4 (d@+1):4>",
            &[("a@", a), ("b@", b), ("d@", Value::Int(3))]
        )),
        data(20).prop_map(|bytes| Piece::new("(n@-1):i16be bytes@:bytes(n@)", &[("bytes@", bytes)])),
        data(20).prop_map(|bytes| Piece::new("n@:u8=size(w@)+2 w@:bytes", &[("w@", bytes)])),
        data(20).prop_map(|bytes| Piece::new(
            "n@:u16le=size(h@..w@)*2 h@:u8 w@:bytes e@:u16be",
            &[("w@", bytes), ("h@", Value::Int(9)), ("e@", Value::Int(7))]
        )),
        data(20).prop_map(|bytes| Piece::new(
            "n@:u8=size(p@) (p@+0x33):( v@:u8 q@:bytes )(n@)",
            &[("q@", bytes), ("v@", Value::Int(5))]
        )),
        data(20).prop_map(|bytes| Piece::new("n@:u8 u@:uu(n@)", &[("u@", bytes)])),
        "[a-z ]{0,12}".prop_map(|text| Piece::new("t@:text \"*\"", &[("t@", Value::bytes(text))])),
        (number(u64::MAX), number(0xFFF))
            .prop_map(|(d, h)| Piece::new("d@:dec \" \" h@:hex(3)", &[("d@", d), ("h@", h)])),
        prop::option::of(number(255)).prop_map(|n| match n {
            Some(n) => Piece::new("<:7 f@:1> (o@:u8)?f@", &[("o@", n)]),
            None => Piece::new("<:7 f@:1> (o@:u8)?f@", &[]),
        }),
        prop::collection::vec((number(255), data(4)), 0..5).prop_map(|rounds| {
            let (heads, tails): (Vec<Value>, Vec<Value>) = rounds.into_iter().unzip();
            Piece::new(
                "n@:u8 (r@:u8 k@:u8 s@:bytes(k@) sum8(r@..s@)){n@}",
                &[("r@", Value::List(heads)), ("s@", Value::List(tails))],
            )
        }),
        (data(12), "[a-z]{0,5}").prop_map(|(bytes, text)| {
            Piece::new(
                "m@:cbor{a@:uint b@:bytes c@:text d@:bool e@:uint?}",
                &[
                    ("a@", Value::Int(70_000)),
                    ("b@", bytes),
                    ("c@", Value::bytes(text)),
                    ("d@", Value::Int(1)),
                ],
            )
        }),
        data(6).prop_map(|bytes| Piece::new("z@:( y@:bytes 7E 00* )(9)", &[("y@", no_mark(&bytes))])),
    ]
}

/// Without the byte that ends them.
fn no_mark(value: &Value) -> Value {
    let bytes: Vec<u8> = value.as_bytes().unwrap_or_default().iter().map(|byte| byte & 0x3F).collect();
    Value::bytes(Bytes::from(bytes))
}

fn layouts() -> impl Strategy<Value = Piece> {
    prop::collection::vec(pieces(), 1..7).prop_map(|pieces| {
        let mut whole = Piece::new("", &[]);
        for (number, piece) in pieces.into_iter().enumerate() {
            let piece = piece.numbered(number);
            whole.text.push_str(&piece.text);
            whole.text.push(' ');
            whole.given.extend(piece.given);
        }
        whole
    })
}

fn envelopes() -> impl Strategy<Value = Option<&'static str>> {
    let known = [None, Some("slip"), Some("hdlc(11 13)"), Some("cobs"), Some("hex(3A, 0D 0A)")];
    prop::sample::select(known.to_vec())
}

fn compile(text: &str, envelope: Option<&str>) -> Frame {
    let layout = Layout::parse(text).unwrap_or_else(|told| panic!("{text}: {told:?}"));
    let envelope = envelope.map(|text| Envelope::parse(text).expect(text));
    Frame::compile("frame".into(), layout, envelope, &[]).unwrap_or_else(|told| panic!("{text}: {told:?}"))
}

/// Whatever a beginning of the input said holds for the whole of it.
fn chunks_do_not_matter(frame: &Frame, input: &[u8]) -> Result<(), TestCaseError> {
    let whole = frame.parse(input, false, &Nothing);
    for len in 0..input.len() {
        match (frame.parse(&input[..len], false, &Nothing), &whole) {
            (Outcome::More(more), Outcome::Complete(reading)) => {
                prop_assert!(len + more <= reading.len, "{len} + {more} > {}", reading.len);
            }
            (Outcome::More(_), _) => {}
            (sooner, _) => prop_assert_eq!(&sooner, &whole, "after {} bytes", len),
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn what_is_encoded_is_parsed_as_the_same_values(piece in layouts(), envelope in envelopes()) {
        let frame = compile(&piece.text, envelope);
        let given: Vec<(Name, Value)> =
            piece.given.iter().map(|(name, value)| (Name::new(name), value.clone())).collect();
        let sent = match frame.encode(&given, &Nothing) {
            Ok(sent) => sent,
            Err(error) => return Err(TestCaseError::fail(format!("{}: {error}", piece.text))),
        };
        prop_assert!(frame.min_len() <= sent.len(), "{}", piece.text);
        prop_assert!(frame.first_bytes()[usize::from(sent[0])], "{}", piece.text);
        let reading = match frame.parse(&sent, false, &Nothing) {
            Outcome::Complete(reading) => reading,
            other => return Err(TestCaseError::fail(format!("{}: {sent:02X?}: {other:?}", piece.text))),
        };
        prop_assert_eq!(reading.len, sent.len());
        for (name, value) in &given {
            prop_assert_eq!(reading.values.get(name), Some(value), "`{}` of {}", name, piece.text);
        }
        prop_assert_eq!(frame.encode(&reading.sent(), &Nothing), Ok(sent.clone()), "{}", piece.text);
        chunks_do_not_matter(&frame, &sent)?;
    }

    #[test]
    fn any_bytes_are_read_without_panic_and_however_they_are_cut(
        piece in layouts(),
        envelope in envelopes(),
        noise in prop::collection::vec(any::<u8>(), 0..80),
        faults in 0usize..3,
    ) {
        let frame = compile(&piece.text, envelope);
        chunks_do_not_matter(&frame, &noise)?;
        frame.parse_damaged(&noise, true, &Nothing, faults);
    }

    #[test]
    fn a_damaged_frame_is_read_without_panic(
        piece in layouts(),
        flipped in any::<prop::sample::Index>(),
        bit in 0u8..8,
        cut in any::<prop::sample::Index>(),
    ) {
        let frame = compile(&piece.text, None);
        let given: Vec<(Name, Value)> =
            piece.given.iter().map(|(name, value)| (Name::new(name), value.clone())).collect();
        let Ok(mut sent) = frame.encode(&given, &Nothing) else { return Ok(()) };
        let place = flipped.index(sent.len());
        sent[place] ^= 1 << bit;
        chunks_do_not_matter(&frame, &sent)?;
        frame.parse_damaged(&sent, true, &Nothing, 1);
        frame.parse(&sent[..cut.index(sent.len())], true, &Nothing);
    }

    #[test]
    fn any_text_is_read_or_refused_without_panic(text in "[a-c0-9A-F:()<>{}=~+*^?,. \"#|-]{0,60}") {
        if let Ok(layout) = Layout::parse(&text) {
            let _ = Frame::compile("frame".into(), layout, None, &[]);
        }
        let _ = super::Expr::parse(&text);
        let _ = Envelope::parse(&text);
    }
}
