use bytes::Bytes;
use proptest::prelude::*;

use super::*;

fn modbus_ascii() -> Envelope {
    Envelope::Hex { start: Bytes::from_static(b":"), end: Bytes::from_static(b"\r\n") }
}

fn nmea() -> Envelope {
    Envelope::Line { start: Bytes::from_static(b"$"), end: Bytes::from_static(b"\r\n"), longest: 80 }
}

fn smp() -> Envelope {
    let [first, next, end] = [&[6, 9], &[4, 20], b"\n" as &'static [u8]].map(Bytes::from_static);
    Envelope::Base64Lines { first, next, end, width: 127 }
}

fn all() -> Vec<Envelope> {
    let escaped = vec![0x11, 0x13];
    vec![Envelope::Slip, Envelope::Hdlc { escaped }, Envelope::Cobs, nmea(), modbus_ascii(), smp()]
}

/// Opens as a frame does that knows how long its payload is.
fn open_whole(envelope: &Envelope, wire: &[u8], size: usize) -> (Vec<u8>, usize) {
    for lines in 1.. {
        match envelope.open(wire, lines) {
            Opened::Complete(contents) if contents.goes_on && contents.payload.len() < size => continue,
            Opened::Complete(contents) => return (contents.payload.into_owned(), contents.len),
            other => panic!("{envelope:?}: {other:?}"),
        }
    }
    unreachable!("every round opens one line more, and a wire has an end")
}

fn says(envelope: &Envelope, wire: &[u8]) -> (usize, String) {
    match envelope.open(wire, 1) {
        Opened::Wrong { at, expected } => (at, expected),
        other => panic!("{envelope:?} takes {wire:02X?}: {other:?}"),
    }
}

#[test]
fn each_envelope_looks_on_the_wire_as_its_standard_says() {
    assert_eq!(Envelope::Slip.seal(&[1, 0xC0, 2, 0xDB]), [0xC0, 1, 0xDB, 0xDC, 2, 0xDB, 0xDD, 0xC0]);
    let hdlc = Envelope::Hdlc { escaped: vec![0x11] };
    assert_eq!(hdlc.seal(&[0x7E, 0x7D, 0x11, 0x13]), [0x7E, 0x7D, 0x5E, 0x7D, 0x5D, 0x7D, 0x31, 0x13, 0x7E]);
    assert_eq!(Envelope::Cobs.seal(&[0]), [1, 1, 0]);
    assert_eq!(Envelope::Cobs.seal(&[0x11, 0x22, 0, 0x33]), [3, 0x11, 0x22, 2, 0x33, 0]);
    assert_eq!(nmea().seal(b"GPGLL*00"), b"$GPGLL*00\r\n");
    assert_eq!(modbus_ascii().seal(&[0x11, 0x03, 0xAB]), b":1103AB\r\n");
    let lines = smp().seal(&[0; 100]);
    assert_eq!((&lines[..6], lines.len()), (&b"\x06\x09AAAA"[..], 2 + 124 + 1 + 2 + 12 + 1));
    assert_eq!(lines[127..133], *b"\x04\x14AAAA");
}

#[test]
fn cobs_blocks_of_254_bytes_need_no_zero() {
    for size in [253, 254, 255, 508, 509] {
        let payload = vec![7; size];
        let wire = Envelope::Cobs.seal(&payload);
        assert_eq!(wire.len(), size + size.div_ceil(254) + 1);
        assert_eq!(open_whole(&Envelope::Cobs, &wire, size), (payload, wire.len()));
    }
    let ended_by_zero = [vec![7; 254], vec![0]].concat();
    let wire = Envelope::Cobs.seal(&ended_by_zero);
    assert_eq!(open_whole(&Envelope::Cobs, &wire, 255).0, ended_by_zero);
}

#[test]
fn a_damaged_envelope_says_where_and_what_was_expected() {
    assert_eq!(says(&Envelope::Slip, &[0x68]), (0, "C0, which starts a SLIP frame".into()));
    assert_eq!(says(&Envelope::Slip, &[0xC0, 1, 0xDB, 2]), (3, "DC or DD after DB".into()));
    assert_eq!(says(&Envelope::Slip, &[0xC0, 1, 0xDB, 0xC0]), (3, "DC or DD after DB".into()));
    let hdlc = Envelope::Hdlc { escaped: vec![] };
    assert_eq!(says(&hdlc, &[0x7E, 1, 0x7D, 0x7E]).0, 3);
    assert_eq!(says(&Envelope::Cobs, &[3, 1, 0]), (2, "2 bytes after 03 before the frame ends".into()));
    assert_eq!(says(&nmea(), &[b'$'; 90]), (81, "0D 0A, which ends the line".into()));
    assert_eq!(says(&modbus_ascii(), b":11G"), (3, "a hex digit or 0D 0A".into()));
    assert_eq!(says(&modbus_ascii(), b":11\rX"), (3, "a hex digit or 0D 0A".into()));
    assert_eq!(says(&modbus_ascii(), b"x"), (0, "3A".into()));
    assert_eq!(says(&smp(), b"\x06\x09AA!"), (4, "base64 or 0A".into()));
    assert_eq!(says(&smp(), b"\x06\x09AAA\n"), (5, "base64 that is filled up with =".into()));
}

#[test]
fn flags_that_idle_or_are_shared_do_not_make_empty_frames() {
    let wire = [0xC0, 0xC0, 0xC0, 0x55, 0xC0, 0x68];
    assert_eq!(open_whole(&Envelope::Slip, &wire, 1), (vec![0x55], 5));
    assert_eq!(Envelope::Slip.open(&wire[..3], 1), Opened::More(2));
    assert_eq!(says(&Envelope::Slip, &[0xC0; 100]).0, MOST_FLAGS);
}

#[test]
fn what_never_ends_is_refused_at_a_bound() {
    for envelope in all() {
        let opening: &[u8] = match &envelope {
            Envelope::Base64Lines { .. } => &[6, 9],
            other => &other.opening().map_or([1], |byte| [byte]).clone(),
        };
        let endless = [opening, &vec![b'A'; 3 * LONGEST]].concat();
        assert!(matches!(envelope.open(&endless, 1), Opened::Wrong { .. }), "{envelope:?}");
    }
}

/// Any payload that the envelope can hold: a line is of text and holds no line end.
fn payload_of(envelope: &Envelope) -> BoxedStrategy<Vec<u8>> {
    match envelope {
        Envelope::Line { .. } => "[ -~]{0,80}".prop_map(String::into_bytes).boxed(),
        _ => prop::collection::vec(prop_oneof![any::<u8>(), Just(0xC0), Just(0x7D), Just(0)], 1..600).boxed(),
    }
}

fn sealed() -> impl Strategy<Value = (Envelope, Vec<u8>)> {
    prop::sample::select(all()).prop_flat_map(|envelope| {
        let payload = payload_of(&envelope);
        (Just(envelope), payload)
    })
}

proptest! {
    #[test]
    fn a_payload_comes_back_from_any_envelope((envelope, payload) in sealed(), behind in any::<[u8; 3]>()) {
        let mut wire = envelope.seal(&payload);
        let size = wire.len();
        wire.extend(behind);
        prop_assert_eq!(open_whole(&envelope, &wire, payload.len()), (payload, size));
    }

    #[test]
    fn no_beginning_of_an_envelope_is_wrong_or_complete((envelope, payload) in sealed()) {
        let wire = envelope.seal(&payload);
        for cut in 0..wire.len() {
            match envelope.open(&wire[..cut], 1) {
                Opened::More(more) => prop_assert!(cut + more <= wire.len(), "{more} more after {cut}"),
                Opened::Complete(contents) => prop_assert!(contents.goes_on),
                Opened::Wrong { at, expected } => prop_assert!(false, "wrong at {at} of {cut}: {expected}"),
            }
        }
    }

    #[test]
    fn every_byte_of_a_payload_has_its_place_on_the_wire((envelope, payload) in sealed()) {
        let wire = envelope.seal(&payload);
        for (index, &byte) in payload.iter().enumerate() {
            let at = envelope.place(&wire, index);
            match &envelope {
                Envelope::Cobs if byte == 0 => prop_assert!(wire[at] != 0, "a zero stands as a block's code"),
                Envelope::Cobs => prop_assert_eq!(wire[at], byte),
                Envelope::Base64Lines { .. } => {
                    let value = alphabet::STANDARD.as_str().find(char::from(wire[at])).unwrap() as u8;
                    let shared = 6 - 2 * (index % 3) as u32;
                    prop_assert_eq!(value & (0xFF >> (8 - shared)), byte >> (8 - shared));
                }
                _ => prop_assert!(envelope.seal(&payload[..index]).starts_with(&wire[..at])),
            }
        }
    }

    #[test]
    fn any_bytes_are_opened_or_refused_within_their_bounds(
        envelope in prop::sample::select(all()),
        input in prop::collection::vec(
            prop_oneof![any::<u8>(), prop::sample::select(&b"\xC0\xDB\xDC\x7E\x7D\x00\x01$\r\n:A=\x06\x09\x04\x14"[..])],
            0..300,
        ),
        lines in 1..4usize,
    ) {
        match envelope.open(&input, lines) {
            Opened::Complete(contents) => prop_assert!(0 < contents.len && contents.len <= input.len()),
            Opened::More(more) => prop_assert!(more > 0),
            Opened::Wrong { at, .. } => prop_assert!(at < input.len()),
        }
        let _ = envelope.place(&input, input.len());
    }
}
