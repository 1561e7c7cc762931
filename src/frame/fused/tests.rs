//! What the fused form says, the parser says: over shipped shapes and random ones, whole, cut, damaged and random bytes.

use proptest::prelude::*;

use super::*;
use crate::frame::parse::{self, Leniency};
use crate::frame::{Frame, Layout, Nothing, Outcome, Path, Refinement, Scope, Value};

fn compile(text: &str, refinements: &[(String, Refinement)]) -> Frame {
    let mut layout = Layout::parse(text).unwrap_or_else(|told| panic!("{text}: {told:?}"));
    for (field, with) in refinements {
        layout.refine(field, with.clone()).unwrap_or_else(|told| panic!("{text}: {told:?}"));
    }
    Frame::compile(Name::new("frame"), layout, None, &[]).unwrap_or_else(|told| panic!("{text}: {told:?}"))
}

/// Both say the same of these bytes and of every beginning of them.
fn agree(frame: &Frame, text: &str, bytes: &[u8]) -> Result<(), TestCaseError> {
    let sieve = Sieve::of([frame]);
    for end in 0..=bytes.len() {
        let input = &bytes[..end];
        let told = frame.fused().judge(input);
        let parsed = frame.parse(input, false, &Nothing);
        let agrees = match (told, &parsed) {
            (Fit::Ask, _) => true,
            (Fit::Whole(len), Outcome::Complete(reading)) => len == reading.len,
            (Fit::No | Fit::More(_), Outcome::Complete(_)) | (Fit::Whole(_), _) => false,
            (Fit::More(more), Outcome::More(_)) => more > 0,
            (Fit::No | Fit::More(_), _) => true,
        };
        prop_assert!(agrees, "{text}: {input:02X?} is {told:?} and {parsed:?}");
        if let Some(reading) = frame.fused().read(input, &Nothing) {
            let leniency = Leniency { faults: 0, words: true };
            let by_parser = parse::payload(frame.program(), input, false, &Nothing, leniency);
            let by_parser = by_parser.map_err(|stop| format!("{stop:?}"));
            prop_assert_eq!(by_parser, reading.map_err(|at| format!("{at}")), "{}: {:02X?}", text, input);
        }
        let ruled_out = (end > 0).then(|| frame.screen().tell(&Prefix::of(input))).flatten();
        prop_assert!(
            ruled_out.is_none_or(|fit| fit == told),
            "{text}: {input:02X?} is {ruled_out:?} and {told:?}"
        );
        if told != Fit::No && end > 0 {
            let prefix = Prefix::of(input);
            let left: Vec<_> = sieve.left(&prefix).filter(|left| !left.frames.is_empty()).collect();
            prop_assert_eq!(left.len(), 1, "{}: {:02X?} is sifted out, and {:?}", text, input, told);
            let enough = match told {
                Fit::More(more) => more,
                _ => 0,
            };
            let lacking = left[0].lacking_from(0).unwrap_or(0);
            prop_assert!(lacking <= enough, "{text}: {input:02X?} lacks {lacking}, and is {told:?}");
        }
        if let (Fit::More(more), Outcome::Complete(reading)) = (told, frame.parse(bytes, false, &Nothing)) {
            prop_assert!(end + more <= reading.len, "{text}: {more} more after {input:02X?} is too much");
        }
    }
    Ok(())
}

#[test]
fn the_frames_of_common_protocols_need_no_parser() {
    let certain = [
        "E5",
        "10 <res:1=0 prm:1=1 fcb:1 fcv:1 function:4> address:u8 sum8(res..address) 16",
        "68 n:u8=size(res..data) =n 68 <res:1=0 prm:1=1 :2 function:4> address:u8 ci:u8 data:bytes sum8(res..data) 16",
        "address:u8 03 n:u8 data:bytes(n) crc(CRC-16/MODBUS, ..) le",
        "code:u8 ~code",
        "(n-1):u8 data:bytes(n) xor8(..)",
        "address:u32be xor8(address)",
        "01 op:u8 n:u16le=size(data) check:u32le data:bytes",
        "B5 62 class:u8 id:u8 n:u16le=size(data) data:bytes",
        "68 serial:bytes(6) 68 control:u8 n:u8=size(data) data:bytes sum8(..) 16",
        "serial:bytes(12) n:u16le=size(data..end) data:bytes end:u8=3 crc(CRC-16/MODBUS, ..) le",
        "FF FF n:u8=size(id..check)+1 id:u8 data:bytes check:u8=~sum8(id..data)&0xFF",
    ];
    for text in certain {
        let frame = compile(text, &[]);
        // The last one has a checksum of its own making: found, but left to the parser.
        assert_eq!(frame.fused().certain, !text.contains('&'), "{text}");
        assert!(!matches!(frame.fused().length, Length::Unknown(_)), "{text}");
    }
}

#[test]
fn a_preamble_is_stepped_over_without_the_parser() {
    let frame = compile("FE{0..4} 68 code:u8=3 n:u8=size(data) data:bytes 16", &[]);
    let judge = |bytes: &[u8]| frame.fused().judge(bytes);
    assert_eq!(judge(&[0x68, 3, 0, 0x16]), Fit::Whole(4));
    assert_eq!(judge(&[0xFE, 0xFE, 0x68, 3, 1, 9, 0x16]), Fit::Whole(7));
    assert_eq!(judge(&[0xFE, 0xFE, 0x68, 4]), Fit::No);
    assert!(matches!(judge(&[0xFE, 0xFE]), Fit::More(_)));
    assert_eq!(judge(&[0xFE, 0xFE, 0xFE, 0xFE, 0xFE, 0x68]), Fit::No);
}

#[test]
fn sums_are_told_from_what_else_is_wrong() {
    let frame = compile("address:u8 function:u8=3 n:u8=size(data) data:bytes crc(CRC-16/MODBUS, ..) le", &[]);
    let reply = [0x01, 0x03, 0x04, 0x00, 0xC9, 0x01, 0x07, 0x6A, 0x5F];
    let with = |place: usize, byte: u8, crc: [u8; 2]| {
        let mut bytes = reply;
        bytes[place] = byte;
        bytes[7..].copy_from_slice(&crc);
        frame.fused().sums_hold(&bytes)
    };
    assert_eq!(frame.fused().sums_hold(&reply), Some(true));
    assert_eq!(with(5, 0x25, [0x6A, 0x5F]), Some(false));
    // Another function, and a length that is not so, under a CRC that is right.
    let crc = |bytes: &[u8]| {
        crate::frame::checksum::Algorithm::named("CRC-16/MODBUS")
            .expect("a CRC of the catalogue")
            .compute(&[bytes])
    };
    for place in [1, 2] {
        let mut bytes = reply;
        bytes[place] = 0x2A;
        let sum = crc(&bytes[..7]) as u16;
        assert_eq!(with(place, 0x2A, sum.to_le_bytes()), Some(true));
    }
    assert_eq!(frame.fused().sums_hold(&[0x01]), Some(false));
    assert_eq!(compile("68 n:u8 16", &[]).fused().sums_hold(&[0x68, 1, 0x16]), None);
    let behind = compile("FE{0..4} 68 code:u8=3 n:u8=size(data) data:bytes sum8(code..data) 16", &[]);
    assert_eq!(behind.fused().sums_hold(&[0xFE, 0xFE, 0x68, 4, 0, 4, 0x16]), Some(true));
}

#[test]
fn fields_have_places_before_and_behind_the_stretch() {
    let frame =
        compile("68 n:u8=size(control..data) control:u8 data:bytes check:u8=sum8(control..data) 16", &[]);
    let bytes = [0x68, 3, 1, 2, 3, 6, 0x16];
    let of = |field: &str| frame.place(field).map(|place| place.of(&bytes));
    assert_eq!(of("control"), Some(&[1][..]));
    assert_eq!(of("data"), Some(&[2, 3][..]));
    assert_eq!(of("check"), Some(&[6][..]));
    assert_eq!(of("nothing"), None);
}

/// Knows one name, whatever is asked for.
struct Says(Value);

impl Scope for Says {
    fn look(&self, _: &Path) -> Option<Value> {
        Some(self.0.clone())
    }
}

#[test]
fn fields_at_known_places_are_read_from_there() {
    let frame = compile("68 code:u8=asked.code (data+0x33):( di:u16le rest:bytes(2) ) level:i8 16", &[]);
    let bytes = [0x68, 7, 0x34, 0x35, 0x36, 0x32, 0xFE, 0x16];
    let read = |scope: &dyn Scope| frame.fused().read(&bytes, scope);
    let by_parser =
        match parse::payload(frame.program(), &bytes, true, &Nothing, Leniency { faults: 0, words: true }) {
            Ok(reading) => reading,
            Err(stop) => panic!("{stop:?}"),
        };
    assert_eq!(read(&Nothing), Some(Ok(by_parser.clone())));
    assert_eq!(by_parser.values.get("di"), Some(&Value::Int(0x0201)));
    assert_eq!(by_parser.values.get("level"), Some(&Value::Int(-2)));
    assert_eq!(read(&Says(Value::Int(7))), Some(Ok(by_parser)));
    // What was asked for is another one: the second byte is against that.
    assert_eq!(read(&Says(Value::Int(8))), Some(Err(1)));
}

#[test]
fn first_bytes_rule_frames_out_that_nobody_has_to_look_at() {
    let frame = compile("FE{1..4} 68 address:bytes(6) 68 code:u8=3 n:u8=size(data) data:bytes 16", &[]);
    let tell = |bytes: &[u8]| frame.screen().tell(&Prefix::of(bytes));
    let code = |code: u8| [&[0xFE, 0x68][..], &[1; 6], &[0x68, code]].concat();
    assert_eq!(tell(&code(3)), Some(Fit::More(2)));
    assert_eq!(tell(&[&code(3)[..], &[0, 0x16]].concat()), None);
    assert_eq!(tell(&code(4)), Some(Fit::No));
    assert_eq!(tell(&[0x68]), Some(Fit::No));
    // The run may be over, and what follows has eleven bytes at the least.
    assert_eq!(tell(&[0xFE, 0xFE]), Some(Fit::More(11)));
    assert_eq!(tell(&[0xFE, 0x68, 1]), Some(Fit::More(9)));
}

#[test]
fn a_sieve_leaves_what_one_byte_does_not_rule_out() {
    let function = ("function".to_string(), Refinement::OneOf(vec![1..=2]));
    let sieve = Sieve::of(&[
        compile("address:u8 03 n:u8 crc(CRC-16/MODBUS, ..) le", &[]),
        compile("address:u8 function:u8 n:u8 crc(CRC-16/MODBUS, ..) le", &[function]),
        compile("address:u8 function:u8 crc(CRC-16/MODBUS, ..) le", &[]),
        compile("FE{1..4} 68 05 n:u8 16", &[]),
    ]);
    let left = |bytes: &[u8]| {
        let prefix = Prefix::of(bytes);
        let mut left: Vec<usize> = sieve.left(&prefix).flat_map(|left| left.frames.to_vec()).collect();
        left.sort_unstable();
        left
    };
    let lacking = |bytes: &[u8]| {
        let prefix = Prefix::of(bytes);
        sieve.left(&prefix).map(|left| left.lacking_from(0)).collect::<Vec<_>>()
    };
    assert_eq!(left(&[9]), [0, 1, 2]);
    assert_eq!(left(&[9, 3]), [0, 2]);
    assert_eq!(left(&[9, 2]), [1, 2]);
    assert_eq!(left(&[9, 5]), [2]);
    assert_eq!(left(&[0xFE, 0x68]), [2, 3]);
    assert_eq!(left(&[0xFE, 0x69]), [2]);
    // The shortest of those that are left has four bytes, and with them it may be here.
    assert_eq!(lacking(&[9])[0], Some(3));
    assert_eq!(lacking(&[9, 3, 1])[0], Some(1));
    assert_eq!(lacking(&[9, 3, 1, 1])[0], None);
}

fn prefix() -> impl Strategy<Value = String> {
    let item = prop::sample::select(vec![
        "68",
        "\"AB\"",
        "p@:u8",
        "p@:u16le",
        "p@:u16be",
        "p@:u8=5",
        "p@:u16be=0x1234",
        "p@:i8",
        "p@:i16le",
        "p@:u8=last.p",
        "(w@+0x33):bytes(3)",
        "(p@+0x33):( v@:u16le 07 x@:i8 )",
        "(p@-2):( w@:bytes(2) )",
        "(p@+3):u8",
        "(p@*2):u8",
        "<:2=1 p@:3 q@:3=5>",
        "<p@:4 :12=0>",
        "p@:u8 =p@",
        "p@:u8 ~p@",
        "p@:u16le r@:u8 ~p@ =r@",
        "w@:bytes(3)",
        "w@:bytes(3) 68 v@:u32le w@x:bytes(3)",
        "b@:bytes(2) =b@",
        "p@:( v@:u8 07 )",
        "55{4}",
        "p@:u8=sum8(..)",
        "p@:u32le",
    ]);
    prop::collection::vec(item, 0..4).prop_map(numbered(1))
}

fn stretch() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "",
        "n:u8=size(data) data:bytes",
        "n:u8 data:bytes(n)",
        "(n-1):u8 data:bytes(n)",
        "(n+3):u8 data:bytes(n)",
        "n:u16be=size(p0..data) data:bytes",
        "n:u16le=size(data)+2 data:bytes",
        "n:u8=size(data)*3 data:bytes",
        "(n*2):u8=size(data) data:bytes",
        "n:u8 data:bytes(n*2+1)",
        "n:u8 data:bytes(n-2)",
        "<:3 n:5> data:bytes(n)",
        "<:3=2 n:5=size(data)> data:bytes",
        "n:u8=size(data..last) data:bytes",
        "n:u8=size(p0..last)-1 data:bytes",
        "(n/2):u8 data:bytes(n)",
        "n:u8=size(data) again:u8 data:( x:u8 y:bytes )",
        "n:u8 data:( x:u8 y:bytes )(n)",
        "data:bytes(5)",
        "n:u8 data:text(n)",
        "n:u8=size(data..tail) data:bytes(2) more:bytes tail:u8",
        "n:u32be data:bytes(n)",
        "<:7 f:1> data:u8 (o:u8)?f",
        "n:u8=size(data..o) data:u8 <:7 f:1> (o:u16be)?f",
        "n:u8 (data:u8){n}",
    ])
    .prop_map(str::to_string)
}

fn suffix() -> impl Strategy<Value = String> {
    let item = prop::sample::select(vec![
        "16",
        "s@:u8",
        "s@:u8=9",
        "s@:u16le=0x0D0A",
        "sum8(..)",
        "sum8(p0..last)",
        "s@:u8=xor8(p0..last) ^ 0xEF",
        "lrc(p0)",
        "s@:u16be=0xFFFF-sum16(..)",
        "crc(CRC-16/MODBUS, ..) le",
        "crc(CRC-32/ISO-HDLC, p0..last)",
        "carry_sum8(..)",
        "s@:u16le=sum(p0, last)",
        "=last",
        "~last",
        "s@:u8 ~s@",
        "sum16(last..) le",
        "s@:u8=sum8(p0..last)+1",
        "fletcher8(p0..last)",
        "crc(CRC-5/USB, p0)",
        "xor8(p0..)",
        "=p0",
        "<:6=3 s@:2>",
        "s@:u8=7-sum8(p0)",
        "s@:( t@:u8 xor8(last) )",
    ]);
    prop::collection::vec(item, 0..4).prop_map(numbered(100))
}

/// Joins the items; `@` in them stands for their number, so that names do not meet.
fn numbered(from: usize) -> impl Fn(Vec<&'static str>) -> String {
    move |items| {
        let number = |(index, item): (usize, &&str)| item.replace('@', &(from + index).to_string());
        let items: Vec<String> = items.iter().enumerate().map(number).collect();
        items.join(" ")
    }
}

/// A layout that can be compiled, and sets for some of its numbers.
fn frames() -> impl Strategy<Value = (String, Frame)> {
    let preamble = prop::sample::select(vec!["", "", "FE{0..4} 68", "05{1..2} 03", "68{0..9}"]);
    (preamble, prefix(), stretch(), suffix(), any::<bool>()).prop_filter_map(
        "a layout",
        |(preamble, prefix, stretch, suffix, narrowed)| {
            let text = format!("{preamble} {prefix} p0:u8 {stretch} last:u8 {suffix}");
            let mut layout = Layout::parse(&text).ok()?;
            if narrowed {
                layout.refine("last", Refinement::OneOf(vec![3..=3, 0x40..=0x7F])).ok()?;
                layout.refine("p0", Refinement::OneOf(vec![0x68..=0x68, 1..=9])).ok()?;
            }
            let frame = Frame::compile(Name::new("frame"), layout, None, &[]).ok()?;
            Some((text, frame))
        },
    )
}

/// Values for whatever a layout may want to be given.
fn encoded(frame: &Frame, seed: u64, data: &[u8]) -> Option<Vec<u8>> {
    let mut random = fastrand::Rng::with_seed(seed);
    let data = Value::bytes(data.to_vec());
    for _ in 0..8 {
        let mut given: Vec<(Name, Value)> = Vec::new();
        for name in frame.layout().names() {
            let value = match name.chars().next() {
                Some('n' | 'f') => continue,
                Some('d' | 'y' | 'm') => data.clone(),
                Some('w') => Value::bytes(vec![1, 2, 3]),
                Some('b') => Value::bytes(vec![4, 5]),
                // In the sets that narrow them.
                _ if ["p0", "last"].contains(&&*name) => Value::Int(3),
                _ => Value::Int(random.u64(..4).into()),
            };
            if random.u8(..) < 230 {
                given.push((name, value));
            }
        }
        if let Ok(bytes) = frame.encode(&given, &Nothing) {
            return Some(bytes);
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn the_fused_form_says_what_the_parser_says(
        (text, frame) in frames(),
        seed in any::<u64>(),
        data in prop::collection::vec(any::<u8>(), 0..12),
        damage in any::<(prop::sample::Index, u8)>(),
        noise in prop::collection::vec(prop_oneof![any::<u8>(), 0..6u8, Just(0x68), Just(0xFE)], 0..40),
    ) {
        agree(&frame, &text, &noise)?;
        let Some(mut bytes) = encoded(&frame, seed, &data) else { return Ok(()) };
        agree(&frame, &text, &bytes)?;
        bytes.extend(&noise);
        agree(&frame, &text, &bytes)?;
        let at = damage.0.index(bytes.len());
        bytes[at] = damage.1;
        agree(&frame, &text, &bytes)?;
    }
}
