//! Frames found in streams: the shipped tables' layouts beside hand-written nom parsers of the same frames.
//!
//! `cargo bench --bench frames`. Each pair does the same work on the same bytes: find every frame, check all that its
//! layout says, go on behind what is none, and add up two fields. Trust the ratios of one run.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use hsdiag::frame::{Found, Frame, Layout, Name, Nothing, Place, Refinement, Stream};
use memchr::memchr;
use nom::bytes::complete::{tag, take};
use nom::combinator::verify;
use nom::number::complete::{le_u16, u8 as byte};
use nom::{IResult, Parser};

fn main() {
    divan::main();
}

const SIZE: usize = 32 << 20;

/// As a port or a file hands it over.
const PIECE: usize = 64 << 10;

const MBUS: &str = include_str!("../protocols/mbus.toml");
const MODBUS: &str = include_str!("../protocols/modbus-rtu.toml");

/// A frame of a shipped table, narrowed as the table's `like` does it.
fn frame(table: &str, name: &str, refinements: &[(&str, Refinement)]) -> Frame {
    let table: toml::Table = table.parse().expect("a shipped table is TOML");
    let text = table["frames"][name].as_str().expect("the frame is written as a layout");
    let mut layout = Layout::parse(text).expect("a shipped layout reads");
    for (field, with) in refinements {
        layout.refine(field, with.clone()).expect("the field takes it");
    }
    Frame::compile(Name::new(name), layout, None, &[]).expect("a shipped frame compiles")
}

fn long() -> Frame {
    frame(MBUS, "long", &[])
}

fn short() -> Frame {
    frame(MBUS, "short", &[])
}

fn registers() -> Frame {
    let body = Layout::parse("n:u8 data:bytes(n)").expect("a layout");
    frame(MODBUS, "request", &[("function", Refinement::Fixed(3)), ("body", Refinement::Shape(body))])
}

/// What both sides add up: where every frame stands, two of its fields, and the bytes of no frame.
#[derive(Debug, Default, PartialEq)]
struct Tally {
    frames: usize,
    places: u64,
    addresses: u64,
    data: usize,
    skipped: u64,
}

fn by_table(frame: &Frame, stream: &[u8]) -> Tally {
    let place = |field| frame.place(field).unwrap_or(Place::NOWHERE);
    let [address, data] = ["address", "data"].map(place);
    let mut tally = Tally::default();
    let mut found = |found: Found<'_>| match found {
        Found::Frame { at, bytes, .. } => {
            tally.frames += 1;
            tally.places += at;
            tally.addresses += u64::from(address.of(bytes).first().copied().unwrap_or(0));
            tally.data += data.of(bytes).len();
        }
        Found::Skipped { len, .. } => tally.skipped += len,
    };
    let mut reader = Stream::new([frame]);
    for piece in stream.chunks(PIECE) {
        reader.push(piece, &Nothing, &mut found);
    }
    reader.close(&Nothing, &mut found);
    tally
}

/// The same loop around a parser: on behind a frame, else to the next place where one can begin.
fn by_nom<'a>(
    stream: &'a [u8],
    first: Option<u8>,
    parser: impl Fn(&'a [u8]) -> IResult<&'a [u8], (u8, &'a [u8])>,
) -> Tally {
    let mut tally = Tally::default();
    let mut rest = stream;
    let mut told = 0;
    while !rest.is_empty() {
        match parser(rest) {
            Ok((behind, (address, data))) => {
                let at = (stream.len() - rest.len()) as u64;
                tally.frames += 1;
                tally.places += at;
                tally.skipped += at - told;
                told = (stream.len() - behind.len()) as u64;
                tally.addresses += u64::from(address);
                tally.data += data.len();
                rest = behind;
            }
            Err(_) => {
                rest = &rest[1..];
                if let Some(first) = first.filter(|first| rest.first() != Some(first)) {
                    rest = &rest[memchr(first, rest).unwrap_or(rest.len())..];
                }
            }
        }
    }
    tally.skipped += stream.len() as u64 - told;
    tally
}

fn sum8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

fn nom_long(input: &[u8]) -> IResult<&[u8], (u8, &[u8])> {
    let (rest, n) = (tag(&[0x68][..]), byte).map(|(_, n)| n).parse(input)?;
    let (rest, _) = (verify(byte, |&again| again == n), tag(&[0x68][..])).parse(rest)?;
    let (behind, body) = verify(take(n), |body: &[u8]| body.len() >= 3).parse(rest)?;
    let (behind, check) = (byte, tag(&[0x16][..])).map(|(check, _)| check).parse(behind)?;
    let (data, (_, address, _)) = (verify(byte, |control| control & 0xC0 == 0x40), byte, byte).parse(body)?;
    verify(nom::combinator::success(check), |&check| check == sum8(body)).parse(behind)?;
    Ok((behind, (address, data)))
}

fn nom_short(input: &[u8]) -> IResult<&[u8], (u8, &[u8])> {
    let (behind, (_, control, address, check, _)) =
        (tag(&[0x10][..]), verify(byte, |control| control & 0xC0 == 0x40), byte, byte, tag(&[0x16][..]))
            .parse(input)?;
    verify(nom::combinator::success(check), |&check| check == control.wrapping_add(address)).parse(behind)?;
    Ok((behind, (address, &[])))
}

const CRC: crc::Crc<u16, crc::Table<16>> = crc::Crc::<u16, crc::Table<16>>::new(&crc::CRC_16_MODBUS);

fn nom_registers(input: &[u8]) -> IResult<&[u8], (u8, &[u8])> {
    let (rest, (address, _, n)) = (byte, tag(&[3][..]), byte).parse(input)?;
    let (behind, (data, check)) = (take(n), le_u16).parse(rest)?;
    let covered = &input[..3 + usize::from(n)];
    verify(nom::combinator::success(check), |&check| check == CRC.checksum(covered)).parse(behind)?;
    Ok((behind, (address, data)))
}

/// M-Bus long frames with so many bytes of data.
fn long_frames(data: std::ops::RangeInclusive<usize>) -> Vec<u8> {
    frames(|random| {
        let data = random.usize(data.clone());
        let body: Vec<u8> = [0x53, random.u8(..), 0x72].into_iter().chain(bytes(random, data)).collect();
        let n = body.len() as u8;
        [&[0x68, n, n, 0x68], &body[..], &[sum8(&body), 0x16]].concat()
    })
}

fn short_frames() -> Vec<u8> {
    frames(|random| {
        let address = random.u8(..);
        vec![0x10, 0x5B, address, address.wrapping_add(0x5B), 0x16]
    })
}

fn register_frames(data: std::ops::RangeInclusive<usize>) -> Vec<u8> {
    frames(|random| {
        let data = random.usize(data.clone());
        let mut frame: Vec<u8> =
            [random.u8(..), 3, data as u8].into_iter().chain(bytes(random, data)).collect();
        frame.extend(CRC.checksum(&frame).to_le_bytes());
        frame
    })
}

fn bytes(random: &mut fastrand::Rng, n: usize) -> Vec<u8> {
    (0..n).map(|_| random.u8(..)).collect()
}

fn frames(mut frame: impl FnMut(&mut fastrand::Rng) -> Vec<u8>) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(1);
    let mut stream = Vec::with_capacity(SIZE + 300);
    while stream.len() < SIZE {
        stream.extend(frame(&mut random));
    }
    stream
}

fn garbage() -> Vec<u8> {
    bytes(&mut fastrand::Rng::with_seed(2), SIZE)
}

/// Frame, stream, and the same by nom; both must find the same.
struct Case {
    frame: Frame,
    stream: Vec<u8>,
    nom: fn(&[u8]) -> Tally,
}

fn case(name: &str) -> Case {
    let by_nom_long: fn(&[u8]) -> Tally = |stream| by_nom(stream, Some(0x68), nom_long);
    let by_nom_registers: fn(&[u8]) -> Tally = |stream| by_nom(stream, None, nom_registers);
    let by_nom_short: fn(&[u8]) -> Tally = |stream| by_nom(stream, Some(0x10), nom_short);
    let (frame, stream, nom) = match name {
        "mbus 5-250" => (long(), long_frames(5..=250), by_nom_long),
        "mbus 0-4" => (long(), long_frames(0..=4), by_nom_long),
        "mbus short" => (short(), short_frames(), by_nom_short),
        "modbus 2-250" => (registers(), register_frames(2..=250), by_nom_registers),
        "modbus 2-4" => (registers(), register_frames(2..=4), by_nom_registers),
        "garbage as mbus" => (long(), garbage(), by_nom_long),
        "garbage as modbus" => (registers(), garbage(), by_nom_registers),
        _ => (long(), vec![0x68; SIZE], by_nom_long),
    };
    assert_eq!(by_table(&frame, &stream), nom(&stream), "{name}");
    Case { frame, stream, nom }
}

const CASES: [&str; 8] = [
    "mbus 5-250",
    "mbus 0-4",
    "mbus short",
    "modbus 2-250",
    "modbus 2-4",
    "garbage as mbus",
    "garbage as modbus",
    "68 68 68",
];

#[derive(Clone, Copy, Debug)]
enum By {
    Table,
    Nom,
}

/// The two sides of a case run one right after the other.
#[divan::bench(args = CASES.iter().flat_map(|case| [(*case, By::Table), (*case, By::Nom)]), sample_count = 20)]
fn frames_found(bencher: Bencher, (name, by): (&str, By)) {
    let Case { frame, stream, nom } = case(name);
    let bencher = bencher.counter(BytesCount::of_slice(&stream));
    match by {
        By::Table => bencher.bench(|| by_table(black_box(&frame), black_box(&stream))),
        By::Nom => bencher.bench(|| nom(black_box(&stream))),
    }
}

/// Ten gigabytes, a tenth of it garbage: what the stream holds does not grow.
#[divan::bench(sample_count = 1, sample_size = 1)]
fn ten_gigabytes_in_constant_memory(bencher: Bencher) {
    const ALL: u64 = 10_000_000_000;
    let mut piece = long_frames(5..=250);
    piece.truncate(PIECE);
    piece.extend(bytes(&mut fastrand::Rng::with_seed(3), PIECE / 10));
    bencher.counter(BytesCount::new(ALL)).bench_local(|| {
        let mut stream = Stream::new([long()]);
        let mut frames = 0u64;
        while stream.pushed() < ALL {
            stream.push(black_box(&piece), &Nothing, |found| {
                frames += u64::from(matches!(found, Found::Frame { .. }))
            });
            assert!(
                stream.capacity() <= 4096,
                "{} bytes are held after {}",
                stream.capacity(),
                stream.pushed()
            );
        }
        frames
    });
}
