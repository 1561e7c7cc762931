use super::*;
use crate::frame::{EvalError, Missing, Nothing, Path};
use bytes::Bytes;

fn frame(text: &str) -> Frame {
    wrapped(text, None)
}

#[track_caller]
fn wrapped(text: &str, envelope: Option<&str>) -> Frame {
    let layout = Layout::parse(text).unwrap_or_else(|told| panic!("{text}: {told:?}"));
    let envelope = envelope.map(|text| Envelope::parse(text).expect(text));
    Frame::compile("frame".into(), layout, envelope, &[]).unwrap_or_else(|told| panic!("{text}: {told:?}"))
}

#[track_caller]
fn refused(text: &str) -> Vec<String> {
    let layout = Layout::parse(text).unwrap_or_else(|told| panic!("{text}: {told:?}"));
    let told = Frame::compile("frame".into(), layout, None, &[]).expect_err(text);
    told.into_iter()
        .map(|mistake| format!("{}..{}: {}", mistake.at.from, mistake.at.to, mistake.says))
        .collect()
}

fn hex(text: &str) -> Vec<u8> {
    text.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).expect(byte)).collect()
}

fn int(number: i128) -> Value {
    Value::Int(number)
}

fn blob(text: &str) -> Value {
    Value::bytes(hex(text))
}

/// Names with values, from outside the frame.
struct Known(Vec<(&'static str, Value)>);

impl Scope for Known {
    fn look(&self, path: &Path) -> Option<Value> {
        self.0.iter().find(|(name, _)| *name == path.to_string()).map(|(_, value)| value.clone())
    }
}

#[track_caller]
fn read(frame: &Frame, bytes: &[u8], closed: bool, scope: &dyn Scope) -> Reading {
    match frame.parse(bytes, closed, scope) {
        Outcome::Complete(reading) => reading,
        other => panic!("{bytes:02X?}: {other:?}"),
    }
}

/// Parses a whole frame, compares fields, encodes it again to the same bytes, and feeds it byte by byte.
#[track_caller]
fn round(frame: &Frame, bytes: &str, fields: &[(&str, Value)]) {
    round_in(frame, &hex(bytes), fields, &Nothing);
}

#[track_caller]
fn round_in(frame: &Frame, bytes: &[u8], fields: &[(&str, Value)], scope: &dyn Scope) {
    let reading = read(frame, bytes, true, scope);
    assert_eq!(reading.len, bytes.len(), "{:?}", reading.values);
    for (name, value) in fields {
        assert_eq!(reading.values.get(name), Some(value), "`{name}`");
    }
    match frame.encode(&reading.sent(), scope) {
        Ok(sent) => assert_eq!(sent, bytes, "encoded again from {:?}", reading.sent()),
        Err(error) => panic!("{error}"),
    }
    for len in 0..bytes.len() {
        match frame.parse(&bytes[..len], false, scope) {
            Outcome::More(more) => assert!(more >= 1 && len + more <= bytes.len(), "{len} + {more}"),
            other => panic!("after {len} bytes: {other:?}"),
        }
    }
    if !frame.ends_by_gap() {
        assert_eq!(read(frame, bytes, false, scope), reading);
    }
}

#[track_caller]
fn mismatch(frame: &Frame, bytes: &str) -> (usize, String) {
    match frame.parse(&hex(bytes), true, &Nothing) {
        Outcome::Wrong(Mismatch { at, expected, .. }) => (at, expected),
        other => panic!("{bytes}: {other:?}"),
    }
}

#[test]
fn a_write_block_has_its_length_and_its_checksum_from_the_data() {
    let block = frame("(n-1):u8 data:bytes(n) xor8(..)");
    round(
        &block,
        "07 00 50 00 20 09 01 00 08 77",
        &[("n", int(8)), ("data", blob("00 50 00 20 09 01 00 08"))],
    );
    let sent = block.encode(&[("data".into(), blob("AA BB"))], &Nothing);
    assert_eq!(sent, Ok(hex("01 AA BB 10")));
    assert_eq!(mismatch(&block, "01 AA BB 11"), (3, "the value 10, is 11".into()));
}

#[test]
fn a_code_and_its_complement() {
    let command = frame("code:u8 ~code");
    round(&command, "31 CE", &[("code", int(0x31))]);
    assert_eq!(mismatch(&command, "31 CF"), (1, "the complement of `code`, CE".into()));
    round(&frame("(n-1):u8 ~n"), "0F F0", &[("n", int(16))]);
}

#[test]
fn a_counted_list_of_numbers() {
    let pages = frame("(n-1):u16be (page:u16be){n} xor8(..)");
    round(&pages, "00 01 00 05 01 06 03", &[("n", int(2)), ("page", Value::List(vec![int(5), int(0x106)]))]);
    let given = [("page".into(), Value::List(vec![int(1)]))];
    assert_eq!(pages.encode(&given, &Nothing), Ok(hex("00 00 00 01 01")));
}

#[test]
fn a_loader_request_in_slip() {
    let text = "00 op:u8=3 len:u16le=size(data) check:u32le=xor8(payload)^0xEF data:( n:u32le sequence:u32le 00{8} payload:bytes(n) )";
    let piece = wrapped(text, Some("slip"));
    let given = [("sequence".into(), int(1)), ("payload".into(), blob("C0 DB 00"))];
    let sent = piece.encode(&given, &Nothing).expect("all is given");
    assert_eq!(
        sent,
        hex("C0 00 03 13 00 F4 00 00 00 03 00 00 00 01 00 00 00 00 00 00 00 00 00 00 00 DB DC DB DD 00 C0")
    );
    round_in(&piece, &sent, &[("payload", blob("C0 DB 00")), ("len", int(19))], &Nothing);
}

#[test]
fn a_long_frame_opens_a_window_over_what_it_counts() {
    let long = frame(
        "68 n:u8=size(res..data) =n 68 <res:1=0 prm:1 fcb:1 fcv:1 function:4> address:u8 ci:u8 data:bytes sum8(res..data) 16",
    );
    round(
        &long,
        "68 06 06 68 08 01 72 AA BB CC AC 16",
        &[("n", int(6)), ("function", int(8)), ("ci", int(0x72)), ("data", blob("AA BB CC"))],
    );
    assert_eq!(long.min_len(), 9);
    assert_eq!(mismatch(&long, "68 06 05 68"), (2, "once more `n`, 06".into()));
    assert_eq!(long.parse(&hex("68 06 06 68"), false, &Nothing), Outcome::More(8));
    assert_eq!(mismatch(&long, "68 02 02 68 08 01 72 AC 16").0, 6, "no room for `ci`");
}

#[test]
fn a_programmer_frame_with_a_shape_for_its_body() {
    let mut layout =
        Layout::parse("1B sequence:u8 n:u16be=size(body) 0E body:bytes xor8(..)").expect("a layout");
    let shape = Layout::parse("op:u8=6 <extended:1=1 (address/2):31>").expect("a shape");
    layout.refine("body", crate::frame::Refinement::Shape(shape)).expect("bytes take a shape");
    let load = Frame::compile("load".into(), layout, None, &[]).expect("a frame");
    round(&load, "1B 01 00 05 0E 06 80 00 01 00 96", &[("address", int(0x200))]);
    let odd = load.encode(&[("sequence".into(), int(1)), ("address".into(), int(3))], &Nothing);
    assert_eq!(odd.expect_err("3 is odd").to_string(), "frame `load`: `address` cannot be 3");
}

#[test]
fn a_gap_ends_bytes_without_a_length_and_the_crc_behind_them_is_set_aside() {
    let pdu = frame("address:u8 function:u8 body:bytes crc(CRC-16/MODBUS, ..) le");
    assert!(pdu.ends_by_gap());
    round(&pdu, "11 03 00 6B 00 03 76 87", &[("body", blob("00 6B 00 03"))]);
    assert_eq!(mismatch(&pdu, "11 03 00 6B 00 03 76 88").0, 6);
    assert_eq!(mismatch(&pdu, "11 03 00"), (3, "1 more bytes".into()));
    let registers = frame("address:u8 function:u8 body:( n:u8 data:bytes(n) ) crc(CRC-16/MODBUS, ..) le");
    assert!(!registers.ends_by_gap());
    round(&registers, "11 03 02 00 2A F8 58", &[("n", int(2)), ("data", blob("00 2A"))]);
}

#[test]
fn a_block_with_the_complement_of_its_number() {
    let block = frame("01 number:u8 ~number data:bytes(128) crc(CRC-16/XMODEM, data) be");
    let given = [("number".into(), int(1)), ("data".into(), Value::bytes(vec![0x1A; 128]))];
    let sent = block.encode(&given, &Nothing).expect("all is given");
    assert_eq!((sent.len(), &sent[..3]), (133, &hex("01 01 FE")[..]));
    round_in(&block, &sent, &[("number", int(1))], &Nothing);
    let short = block.encode(&[("number".into(), int(1)), ("data".into(), blob("1A"))], &Nothing);
    assert_eq!(
        short.expect_err("one byte").to_string(),
        "frame `frame`: `data` cannot be 1 long, since it has to be 128"
    );
}

#[test]
fn a_line_of_uu_text() {
    let line = frame(r#"(n+32):u8 data:uu(n) "\r\n""#);
    round(&line, "23 30 56 25 54 0D 0A", &[("n", int(3)), ("data", blob("43 61 74"))]);
    let zeros = line.encode(&[("data".into(), blob("00 00 00"))], &Nothing);
    assert_eq!(zeros, Ok(b"#````\r\n".to_vec()));
    assert_eq!(mismatch(&line, "23 30 7F 25 54 0D 0A"), (2, "UU text, 20 to 60".into()));
}

#[test]
fn decimal_numbers_end_where_another_byte_begins() {
    let write = frame(r#""W " address:dec " " n:dec "\r\n""#);
    round_in(&write, b"W 268435968 512\r\n", &[("address", int(268_435_968)), ("n", int(512))], &Nothing);
    assert_eq!(mismatch(&write, "57 20 58"), (2, "a decimal number".into()));
}

const SMP: &str = "total:u16be=size(head..check) \
    head:( <:3 version:2 op:3> flags:u8 n:u16be=size(body) group:u16be sequence:u8 command:u8 ) \
    body:cbor{d:text rc:uint?} check:u16be=crc(CRC-16/XMODEM, head..body)";

#[test]
fn base64_lines_around_a_map() {
    let echo = wrapped(SMP, Some("lines(06 09, 04 14, 0A, base64, 127)"));
    let bytes =
        hex("06 09 41 42 4D 43 41 41 41 4A 41 41 41 42 41 4B 46 68 5A 47 56 6F 5A 57 78 73 62 2F 30 6D 0A");
    round_in(
        &echo,
        &bytes,
        &[("d", Value::bytes("hello")), ("op", int(2)), ("n", int(9)), ("rc", int(0))],
        &Nothing,
    );
}

#[test]
fn a_frame_of_several_lines_ends_where_its_length_says() {
    let echo = wrapped(SMP, Some("lines(06 09, 04 14, 0A, base64, 127)"));
    let text = "x".repeat(300);
    let given: Vec<(Name, Value)> = [
        ("version", int(1)),
        ("op", int(2)),
        ("flags", int(0)),
        ("group", int(0)),
        ("sequence", int(1)),
        ("command", int(0)),
        ("d", Value::bytes(text.clone())),
    ]
    .map(|(name, value)| (name.into(), value))
    .into();
    let sent = echo.encode(&given, &Nothing).expect("all is given");
    assert!(sent.iter().filter(|byte| **byte == 0x0A).count() > 2);
    round_in(&echo, &sent, &[("d", Value::bytes(text))], &Nothing);
}

#[test]
fn a_shifted_part_is_read_after_undoing_the_shift() {
    let reply = frame(
        "FE{0..4} 68 address:bytes(6) 68 code:u8=0x91 n:u8=size(data) (data+0x33):( di:u32le rest:bytes )(n) sum8(..) 16",
    );
    let whole = "68 12 34 56 78 90 12 68 91 06 33 33 34 33 44 55 83 16";
    let reading = read(&reply, &hex(whole), true, &Nothing);
    let sum = hex(whole)[..16].iter().map(|byte| u32::from(*byte)).sum::<u32>() & 0xFF;
    assert_eq!(sum, 0x83, "the vector sums up from its 68 on, without preambles");
    assert_eq!(reading.values.get("di"), Some(&int(0x0001_0000)));
    assert_eq!(reading.values.get("rest"), Some(&blob("11 22")));
    assert_eq!(reading.values.get("data"), Some(&blob("00 00 01 00 11 22")));
    let exact = frame(
        "FE{4} start:u8=0x68 address:bytes(6) 68 code:u8 n:u8=size(data) (data+0x33):( di:u32le rest:bytes )(n) sum8(start..data) 16",
    );
    round(&exact, &format!("FE FE FE FE {whole}"), &[("di", int(0x0001_0000))]);
}

#[test]
fn a_position_with_a_fletcher_checksum() {
    let poll = frame("B5 62 class:u8 id:u8 n:u16le=size(payload) payload:bytes fletcher8(class..payload)");
    round(&poll, "B5 62 0A 04 00 00 0E 34", &[("class", int(10)), ("n", int(0))]);
    assert_eq!(mismatch(&poll, "B5 62 0A 04 00 00 0E 35"), (6, "the value 0E 34, is 0E 35".into()));
}

#[test]
fn a_sentence_with_its_xor_in_hex() {
    let sentence = wrapped(r#"body:text "*" check:hex(2)=xor8(body)"#, Some(r#"line("$", 0D 0A)"#));
    round_in(&sentence, b"$GPGLL,,,,,,V,N*64\r\n", &[("body", Value::bytes("GPGLL,,,,,,V,N"))], &Nothing);
    let open = frame(r#""$" body:text "*" check:hex(2)=xor8(body) "\r\n""#);
    round_in(&open, b"$GPGLL,,,,,,V,N*64\r\n", &[("check", int(0x64))], &Nothing);
    let damaged = open.parse(b"$GP\x00LL,", false, &Nothing);
    assert_eq!(
        damaged,
        Outcome::Wrong(Mismatch { at: 3, expected: "text".into(), of_sum: false }),
        "told before the end has come"
    );
}

#[test]
fn optional_parts_follow_their_flags_and_set_them() {
    let pps = frame("FF <:1 p3:1 p2:1 p1:1 t:4> (pps1:u8)?p1 (pps2:u8)?p2 (pps3:u8)?p3 pck:u8=xor8(..)");
    round(&pps, "FF 10 96 79", &[("pps1", int(0x96)), ("pps2", int(0)), ("p1", int(1))]);
    assert_eq!(read(&pps, &hex("FF 10 96 79"), true, &Nothing).absent, ["pps2", "pps3"].map(Name::new));
    let given = [("t".into(), int(0)), ("pps1".into(), int(0x96))];
    assert_eq!(pps.encode(&given, &Nothing), Ok(hex("FF 10 96 79")));
    assert_eq!(pps.encode(&given[..1], &Nothing), Ok(hex("FF 00 FF")));
}

#[test]
fn an_answer_to_reset_with_its_history() {
    let atr = frame(
        "ts:u8 <d1:1 c1:1 b1:1 a1:1 k:4> (ta1:u8)?a1 (tb1:u8)?b1 (tc1:u8)?c1 \
         ( <d2:1 c2:1 b2:1 a2:1 t1:4> (ta2:u8)?a2 (tb2:u8)?b2 (tc2:u8)?c2 \
           ( <d3:1=0 c3:1 b3:1 a3:1 t2:4> (ta3:u8)?a3 (tb3:u8)?b3 (tc3:u8)?c3 )?d2 )?d1 \
         history:bytes(k) ( tck:u8=xor8(d1..history) )?{t1 | t2}",
    );
    round(&atr, "3B 90 95 80 1F C3 59", &[("ts", int(0x3B))]);
}

#[test]
fn a_fill_takes_the_room_that_is_left() {
    let header = frame("01 00 FF block:( name:text 00 size:dec 00* )(32) crc(CRC-16/XMODEM, block) be");
    let given = [("name".into(), Value::bytes("a.bin")), ("size".into(), int(1234))];
    let sent = header.encode(&given, &Nothing).expect("all is given");
    assert_eq!(sent.len(), 3 + 32 + 2);
    round_in(&header, &sent, &[("name", Value::bytes("a.bin")), ("size", int(1234))], &Nothing);
}

#[test]
fn a_text_ends_where_the_fill_begins() {
    let header = frame("block:( name:text 00 size:dec more:text 00* )(16) 16");
    round_in(&header, b"a\x0012 077 1\0\0\0\0\0\0\x16", &[("more", Value::bytes(" 077 1"))], &Nothing);
    round_in(&header, b"a\x0012 077 1234567\x16", &[("more", Value::bytes(" 077 1234567"))], &Nothing);
    assert_eq!(mismatch(&header, "61 00 31 20 00 31 00 00 00 00 00 00 00 00 00 00 16").0, 5);
}

#[test]
fn a_length_that_nobody_knows_takes_what_is_left() {
    let page = frame("14 data:bytes(n) 10");
    assert_eq!(read(&page, &hex("14 AA BB 10"), true, &Nothing).values.get("data"), Some(&blob("AA BB")));
    assert_eq!(page.parse(&hex("14 AA BB 10"), false, &Nothing), Outcome::More(1));
    let scope = Known(vec![("n", int(2))]);
    assert_eq!(read(&page, &hex("14 AA BB 10"), false, &scope).len, 4);
    assert_eq!(page.encode(&[("data".into(), blob("AA"))], &Nothing), Ok(hex("14 AA 10")));
    assert!(page.encode(&[("data".into(), blob("AA"))], &scope).is_err());
}

#[test]
fn the_size_of_a_number_may_be_a_parameter() {
    let fixed = frame("10 control:u8 address:ule(width) sum8(control..address) 16");
    for (width, bytes) in [(0, "10 49 49 16"), (1, "10 49 03 4C 16"), (2, "10 49 03 01 4D 16")] {
        let scope = Known(vec![("width", int(width))]);
        round_in(&fixed, &hex(bytes), &[("control", int(0x49))], &scope);
    }
}

#[test]
fn relations_on_unknown_names_are_not_checked_and_on_known_ones_are() {
    let reply = frame("01 op:u8=asked.op n:u8");
    assert_eq!(read(&reply, &[1, 9, 0], true, &Nothing).len, 3);
    let scope = Known(vec![("asked.op", int(8))]);
    assert_eq!(
        reply.parse(&[1, 9], false, &scope),
        Outcome::Wrong(Mismatch { at: 1, expected: "`op` 08, is 09".into(), of_sum: false }),
        "told at once, without the bytes behind it"
    );
    assert_eq!(reply.encode(&[("n".into(), int(0))], &scope), Ok(vec![1, 8, 0]));
    let unknown = reply.encode(&[("n".into(), int(0))], &Nothing);
    let path = Path { first: "asked".into(), rest: Some("op".into()) };
    let error = EvalError::Unknown(Missing::Path(path));
    assert_eq!(unknown, Err(EncodeError::Eval { frame: "frame".into(), error }));
}

#[test]
fn a_key_is_undone_whether_it_is_a_number_or_bytes() {
    let scope = Known(vec![("key", blob("01 02"))]);
    round_in(&frame("n:u8 (data^key):bytes(n)"), &hex("03 00 00 00"), &[("data", blob("01 02 01"))], &scope);
    round(&frame("n:u8 (data^0xFF):bytes(n)"), "02 00 FF", &[("data", blob("FF 00"))]);
    round(
        &frame("(x^0x80):u8 (y*4):u16le (z/2):i8"),
        "81 08 00 FF",
        &[("x", int(1)), ("y", int(2)), ("z", int(-2))],
    );
}

#[test]
fn repeated_records_each_with_a_length_of_their_own() {
    let records = frame("n:u8=size(part..data) (part:u8 k:u8 data:bytes(k))* sum8(..)");
    round(
        &records,
        "07 01 02 AA BB 02 01 CC 3E",
        &[
            ("part", Value::List(vec![int(1), int(2)])),
            ("data", Value::List(vec![blob("AA BB"), blob("CC")])),
        ],
    );
    let lists = [
        ("part".into(), Value::List(vec![int(1), int(2)])),
        ("data".into(), Value::List(vec![blob("AA BB"), blob("CC")])),
    ];
    assert_eq!(records.encode(&lists, &Nothing), Ok(hex("07 01 02 AA BB 02 01 CC 3E")));
}

#[test]
fn sizes_around_a_length_are_run_backwards() {
    round(&frame("n:u8=size(data)+2 data:bytes 16"), "04 AA BB 16", &[("data", blob("AA BB"))]);
    round(&frame("n:u8=size(data)/4 data:bytes 16"), "01 AA BB CC DD 16", &[]);
    round(&frame("n:u8=255-size(data) data:bytes"), "FD AA BB", &[("data", blob("AA BB"))]);
    assert_eq!(
        mismatch(&frame("n:u8=size(data)*2 data:bytes 16"), "03 AA 16"),
        (0, "a possible length `n`, not 3".into())
    );
}

#[test]
fn one_fault_may_be_let_through_and_its_checksum_with_it() {
    let short = frame("10 control:u8 address:u8 sum8(control..address) 16");
    let Outcome::Complete(reading) = short.parse_damaged(&hex("10 49 01 4B 16"), true, &Nothing, 1) else {
        panic!("one fault is allowed")
    };
    assert_eq!(reading.wrong, [Mismatch { at: 3, expected: "the value 4A, is 4B".into(), of_sum: true }]);
    let ranged = frame("10 control:u8=0x49 address:u8 sum8(control..address) 16");
    let Outcome::Complete(reading) = ranged.parse_damaged(&hex("10 48 01 4A 16"), true, &Nothing, 1) else {
        panic!("the sum is still that of the control byte that was sent")
    };
    assert_eq!(reading.wrong.len(), 1, "{:?}", reading.wrong);
    assert!(matches!(short.parse_damaged(&hex("11 49 01 4B 16"), true, &Nothing, 1), Outcome::Wrong(_)));
}

#[test]
fn mistakes_of_a_frame_alone_are_told_with_their_place() {
    assert_eq!(refused("control:u8 sum8(contrl..)"), ["16..24: nothing in this frame is called `contrl`"]);
    assert_eq!(refused("a:u8 b:u8 sum8(b..a)"), ["15..19: this span ends before it begins"]);
    assert_eq!(refused("a:u8=sum8(a..b) b:u8"), ["5..15: `a` is computed from itself"]);
    assert_eq!(refused("a:u8=b+1 b:u8=a+1"), ["5..8: `a` is computed from itself"]);
    assert_eq!(
        refused("a:bytes b:bytes"),
        ["0..1: two parts without a length share one room: nothing says where one ends"]
    );
    assert_eq!(
        refused("a:bytes n:dec"),
        ["0..1: nothing ends these bytes: how wide the rest is shows only when it is read"]
    );
    assert_eq!(refused("data:bytes(n) n:u8"), ["11..12: `n` is read only after this"]);
    assert_eq!(refused("data:bytes(70000)"), ["11..16: a length or a count is 0 to 65536"]);
    assert_eq!(refused("crc(CRC-16/MODBU, ..)"), ["4..16: no CRC is called `CRC-16/MODBU`"]);
    assert_eq!(refused("a:u8=300"), ["0..1: `a` holds 0 to 255, not 300"]);
    assert_eq!(refused("a:u8 a:u8"), ["5..6: two fields are called `a`"]);
    assert_eq!(refused("~code code:u8"), ["0..5: nothing before this is called `code`"]);
    assert_eq!(refused("n:u8 (x:bytes(n)){n}")[0], "6..7: a repeated part that may be empty never ends");
    assert_eq!(
        refused("(data*2):bytes(3)")[0],
        "6..7: bytes know +, - and ^ only: times and by lose what was there"
    );
}

#[test]
fn what_is_known_before_any_byte_has_come() {
    let long = frame(
        "68 n:u8=size(a..d) =n 68 <:4 a:4=[3]> c:u8=5 d:bytes sum8(a..d) 16".replace("=[3]", "=3").as_str(),
    );
    assert_eq!(long.min_len(), 8);
    let firsts = |frame: &Frame| {
        (0..=255u8).filter(|byte| frame.first_bytes()[usize::from(*byte)]).collect::<Vec<_>>()
    };
    assert_eq!(firsts(&long), [0x68]);
    assert_eq!(firsts(&frame("(a:u8=1)?{x} 02")), [1, 2]);
    assert_eq!(firsts(&frame("<a:4=3 b:4>")), (0x30..=0x3F).collect::<Vec<_>>());
    assert_eq!(firsts(&wrapped("a:u8", Some("slip"))), [0xC0]);
    assert!(long.specificity() > frame("a:u8 b:u8").specificity());
    let fields = long.fields();
    let names: Vec<&str> = fields.iter().map(|field| &*field.name).collect();
    assert_eq!(names, ["n", "a", "c", "d"]);
    assert_eq!(fields[2].values, crate::frame::FieldValues::Fixed(int(5)));
    assert_eq!(fields[2].offset, Some(5));
}

#[test]
fn what_is_given_has_to_fit() {
    let frame = frame("code:u8 n:u8=2 data:bytes(n)");
    let given = |code, data| [("code".into(), int(code)), ("data".into(), Value::bytes(data))];
    assert!(frame.encode(&given(256, Bytes::from_static(b"ab")), &Nothing).is_err());
    assert!(frame.encode(&given(1, Bytes::from_static(b"abc")), &Nothing).is_err());
    assert_eq!(frame.encode(&given(1, Bytes::from_static(b"ab")), &Nothing), Ok(b"\x01\x02ab".to_vec()));
    let missing = frame.encode(&[("code".into(), int(1))], &Nothing);
    assert_eq!(missing, Err(EncodeError::NoValue { frame: "frame".into(), field: "data".into() }));
}

#[test]
fn a_set_that_begins_with_an_expression_sends_that_and_takes_any_member() {
    let mut layout = Layout::parse("count:u8").expect("a field");
    let first = crate::frame::Expr::parse("last.count + 1").expect("an expression");
    layout
        .refine("count", crate::frame::Refinement::Sends { first, others: vec![0..=9] })
        .expect("a number takes a set");
    let frame = Frame::compile("frame".into(), layout, None, &[]).expect("one field");
    let known = Known(vec![("last.count", int(4))]);

    assert_eq!(frame.encode(&[], &known), Ok(vec![5]), "what follows from the last one");
    assert_eq!(frame.encode(&[], &Nothing), Ok(vec![0]), "the first of the set where nothing is known");
    assert_eq!(frame.encode(&[("count".into(), int(7))], &known), Ok(vec![7]), "what is given");
    assert_eq!(read(&frame, &[3], true, &known).values.get("count"), Some(&int(3)));
    assert!(matches!(frame.parse(&[10], true, &known), Outcome::Wrong(_)));
}
