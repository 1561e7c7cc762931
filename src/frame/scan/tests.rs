use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::frame::{Layout, Name, Nothing};

fn frame(layout: &str) -> Frame {
    enveloped(layout, None)
}

fn enveloped(layout: &str, envelope: Option<Envelope>) -> Frame {
    Frame::compile(Name::new("frame"), Layout::parse(layout).expect(layout), envelope, &[]).expect(layout)
}

const LONG: &str =
    "68 n:u8=size(control..data) =n 68 control:u8 address:u8 ci:u8 data:bytes sum8(control..data) 16";
const SHORT: &str = "10 control:u8 address:u8 sum8(control..address) 16";
const REGISTERS: &str = "address:u8 03 n:u8 data:bytes(n) crc(CRC-16/MODBUS, ..) le";
const UNTIL_SILENCE: &str = "address:u8 function:u8 body:bytes crc(CRC-16/MODBUS, ..) le";

/// What was found, as an owned list.
#[derive(Clone, Debug, PartialEq)]
enum Item {
    Frame(usize, u64, Vec<u8>),
    Skipped(u64, u64),
}

fn item(found: Found<'_>) -> Item {
    match found {
        Found::Frame { frame, at, bytes } => Item::Frame(frame, at, bytes.to_vec()),
        Found::Skipped { at, len } => Item::Skipped(at, len),
    }
}

/// Pushes bytes cut at `pieces`, in turn, then closes.
fn read(frames: &[Frame], bytes: &[u8], pieces: &[usize]) -> Vec<Item> {
    let mut items = Vec::new();
    let mut stream = Stream::new(frames);
    let mut rest = bytes;
    for &piece in pieces.iter().cycle().take(bytes.len()) {
        let (now, later) = rest.split_at(piece.clamp(1, rest.len().max(1)).min(rest.len()));
        stream.push(now, &Nothing, |found| items.push(item(found)));
        rest = later;
    }
    assert!(rest.is_empty());
    stream.close(&Nothing, |found| items.push(item(found)));
    items
}

const ANSWER: [u8; 10] = [0x68, 4, 4, 0x68, 8, 1, 0x72, 0x16, 0x91, 0x16];
const RESET: [u8; 5] = [0x10, 0x40, 1, 0x41, 0x16];

#[test]
fn frames_are_found_between_garbage_and_garbage_is_told() {
    let frames = [frame(LONG), frame(SHORT)];
    let bytes = [&[1, 2, 3][..], &ANSWER, &[0x68, 0x10], &RESET, &RESET, &[9]].concat();
    let expected = [
        Item::Skipped(0, 3),
        Item::Frame(0, 3, ANSWER.to_vec()),
        Item::Skipped(13, 2),
        Item::Frame(1, 15, RESET.to_vec()),
        Item::Frame(1, 20, RESET.to_vec()),
        Item::Skipped(25, 1),
    ];
    for piece in [1, 2, 3, 7, 100] {
        assert_eq!(read(&frames, &bytes, &[piece]), expected, "in pieces of {piece}");
    }
}

#[test]
fn a_good_frame_is_not_lost_in_what_looked_like_the_beginning_of_another() {
    // 68 04 04 68 promises ten bytes; the true frame begins inside them.
    let bytes = [&[0x68, 4, 4, 0x68][..], &ANSWER].concat();
    let expected = [Item::Skipped(0, 4), Item::Frame(0, 4, ANSWER.to_vec())];
    for piece in [1, 5, 100] {
        assert_eq!(read(&[frame(LONG)], &bytes, &[piece]), expected, "in pieces of {piece}");
    }
}

#[test]
fn a_frame_that_never_ends_is_given_up_at_the_gap() {
    let bytes = [&ANSWER[..9], &RESET].concat();
    let frames = [frame(LONG), frame(SHORT)];
    assert_eq!(read(&frames, &bytes, &[1]), [Item::Skipped(0, 9), Item::Frame(1, 9, RESET.to_vec())]);
}

#[test]
fn a_frame_with_a_faulty_byte_is_not_valid() {
    let frames = [frame(LONG), frame(SHORT)];
    for bad in 0..ANSWER.len() {
        let mut items = Vec::new();
        let mut stream = Stream::new(&frames);
        stream.push(&ANSWER[..bad], &Nothing, |found| items.push(item(found)));
        stream.push_bad(ANSWER[bad], &Nothing, |found| items.push(item(found)));
        stream.push(&ANSWER[bad + 1..], &Nothing, |found| items.push(item(found)));
        stream.push(&RESET, &Nothing, |found| items.push(item(found)));
        stream.close(&Nothing, |found| items.push(item(found)));
        assert_eq!(items, [Item::Skipped(0, 10), Item::Frame(1, 10, RESET.to_vec())], "byte {bad}");
    }
}

#[test]
fn frames_that_only_silence_ends_are_found_at_the_gap_even_behind_a_glitch() {
    let request = [0x11, 3, 0, 0x6B, 0, 3, 0x76, 0x87];
    let frames = [frame(UNTIL_SILENCE)];
    assert_eq!(read(&frames, &request, &[1]), [Item::Frame(0, 0, request.to_vec())]);
    let glitched = [&[0][..], &request].concat();
    assert_eq!(read(&frames, &glitched, &[3]), [Item::Skipped(0, 1), Item::Frame(0, 1, request.to_vec())]);
}

#[test]
fn a_line_without_a_start_mark_begins_where_another_ended() {
    let line = Envelope::Line { start: Bytes::new(), end: Bytes::from_static(b"\r\n"), longest: 80 };
    let frames = [enveloped("\"OK\"", Some(line))];
    let expected = [Item::Skipped(0, 8), Item::Frame(0, 8, b"OK\r\n".to_vec()), Item::Skipped(12, 4)];
    for piece in [1, 100] {
        assert_eq!(read(&frames, b"NOT OK\r\nOK\r\n\x80OK\r", &[piece]), expected);
    }
}

#[test]
fn two_frames_can_share_a_flag() {
    let frames = [enveloped("kind:u8 sum8(kind)", Some(Envelope::Hdlc { escaped: vec![] }))];
    let bytes = [0x7E, 5, 5, 0x7E, 6, 6, 0x7E, 0x7E, 7, 7, 0x7E, 1, 0x7E, 8, 8, 0x7E];
    let expected = [
        Item::Frame(0, 0, bytes[..4].to_vec()),
        Item::Frame(0, 4, bytes[4..7].to_vec()),
        Item::Frame(0, 7, bytes[7..11].to_vec()),
        Item::Skipped(11, 1),
        Item::Frame(0, 12, bytes[12..].to_vec()),
    ];
    for piece in [1, 2, 100] {
        assert_eq!(read(&frames, &bytes, &[piece]), expected, "in pieces of {piece}");
    }
}

/// Streams that no frame ends, each byte of which could begin one: the work for a byte must not grow with their length.
#[test]
fn hostile_streams_are_read_in_linear_time_and_constant_memory() {
    let line = |longest| Envelope::Line {
        start: Bytes::from_static(b"$"),
        end: Bytes::from_static(b"\r\n"),
        longest,
    };
    let frames = [
        frame(LONG),
        frame("02 n:u16le=size(data) data:bytes crc(CRC-32/ISO-HDLC, data)"),
        enveloped("\"A\" data:bytes", Some(line(80))),
        enveloped("\"B\" data:bytes", Some(Envelope::Slip)),
        enveloped("\"C\" data:bytes", Some(Envelope::Cobs)),
        frame("\"E\" data:bytes \"\\r\\n\""),
    ];
    for hostile in [&[0x68][..], &[2, 0xFF, 0xFF], b"$", b"$A", &[0xC0, 0x42], b"E", &[0]] {
        let mut stream = Stream::new(&frames);
        let bytes: Vec<u8> = hostile.iter().copied().cycle().take(150_000).collect();
        for piece in bytes.chunks(1000) {
            stream.push(piece, &Nothing, |_| {});
            assert!(stream.capacity() < 4 * MOST, "{hostile:02X?}: {} bytes are kept", stream.capacity());
        }
        assert_eq!(stream.pushed(), 150_000);
    }
}

fn envelopes() -> Vec<Frame> {
    let line =
        Envelope::Line { start: Bytes::from_static(b"$"), end: Bytes::from_static(b"\r\n"), longest: 40 };
    let digits = Envelope::Hex { start: Bytes::from_static(b":"), end: Bytes::from_static(b"\r\n") };
    let bare = Envelope::Line { start: Bytes::new(), end: Bytes::from_static(b"\n"), longest: 40 };
    [
        ("\"GP\" data:bytes", line),
        ("data:bytes lrc(data)", digits),
        ("\"OK\"", bare),
        ("n:u8 data:bytes(n)", Envelope::Cobs),
        ("data:bytes(2) sum8(data)", Envelope::Slip),
        ("data:bytes xor8(data)", Envelope::Hdlc { escaped: vec![] }),
    ]
    .into_iter()
    .map(|(layout, envelope)| enveloped(layout, Some(envelope)))
    .collect()
}

/// Bytes of which the frames here are made, in an order that often makes whole ones.
fn traffic() -> impl Strategy<Value = Vec<u8>> {
    let registers = [0x11, 3, 2, 0, 5, 0xB8, 0x44];
    let sealed = [
        Envelope::Slip.seal(&[1, 2, 3]),
        Envelope::Hdlc { escaped: vec![] }.seal(&[0x7E, 5, 0x7B]),
        Envelope::Cobs.seal(&[1, 0]),
        b"$GPGLL\r\n".to_vec(),
        b":0304F9\r\n".to_vec(),
        b"OK\n".to_vec(),
    ];
    let mut pieces = vec![ANSWER.to_vec(), RESET.to_vec(), registers.to_vec()];
    pieces.extend(sealed);
    let piece = prop_oneof![
        3 => prop::sample::select(pieces.clone()),
        1 => (prop::sample::select(pieces), any::<prop::sample::Index>()).prop_map(|(mut piece, at)| {
            let at = at.index(piece.len());
            piece.truncate(at);
            piece
        }),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn the_cuts_do_not_change_what_is_found(
        bytes in traffic(),
        cuts in prop::collection::vec(1..20usize, 1..8),
        which in 0..4usize,
    ) {
        let frames = match which {
            0 => vec![frame(LONG), frame(SHORT)],
            1 => vec![frame(REGISTERS), frame(LONG), frame(UNTIL_SILENCE)],
            2 => envelopes(),
            _ => [vec![frame(LONG), frame(SHORT), frame(REGISTERS)], envelopes()].concat(),
        };
        let whole = read(&frames, &bytes, &[bytes.len()]);
        prop_assert_eq!(&read(&frames, &bytes, &cuts), &whole);
        prop_assert_eq!(&read(&frames, &bytes, &[1]), &whole);
        // Everything that was pushed is told exactly once, and every frame is one.
        let mut told = 0;
        for item in &whole {
            let (at, len) = match item {
                Item::Frame(_, at, bytes) => (*at, bytes.len() as u64),
                Item::Skipped(at, len) => (*at, *len),
            };
            prop_assert_eq!(at, told);
            told += len;
        }
        prop_assert_eq!(told, bytes.len() as u64);
    }
}
