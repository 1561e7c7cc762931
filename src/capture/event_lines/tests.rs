use proptest::prelude::*;

use super::*;

const HEADER: &str = r#"{"hsdiag":"events","version":1,"baud":9600,"format":"8E1","line_errors":"per-byte","uncertainty":0.001}"#;

fn read(lines: &str) -> (Vec<Record>, Option<String>) {
    let text = format!("{HEADER}\n{lines}");
    let mut records = Vec::new();
    for record in Reader::new(text.as_bytes()).expect("the header is good") {
        match record {
            Ok(record) => records.push(record),
            Err(mistake) => return (records, Some(mistake.to_string())),
        }
    }
    (records, None)
}

fn refused(header: &str) -> String {
    Reader::new(header.as_bytes()).expect_err(header).to_string()
}

#[test]
fn every_kind_of_line_is_read() {
    let (records, mistake) = read(concat!(
        r#"{"at":0.0211458,"dir":"rx","hex":"68","fault":"framing-or-parity"}"#,
        "\n",
        r#"{"at":0.03,"dir":"tx","hex":"7f"}"#,
        "\r\n\n",
        r#"{"at":0.04,"dir":"rx","fault":"break"}"#,
        "\n",
        r#"{"at":0.05,"set":{"baud":19200}}"#,
        "\n",
        r#"{"at":0.06,"lines":{"dtr":true}}"#,
    ));
    assert_eq!(mistake, None);
    let at = |secs: f64| Instant::from_secs(secs);
    let settings = Settings::new(Baud::nearest(19_200.0), Format::E8);
    assert_eq!(
        records,
        [
            Record::seen(
                LineEvent::byte(at(0.0211458), Direction::Rx, 0x68).with_fault(Fault::FramingOrParity)
            ),
            Record::seen(LineEvent::byte(at(0.03), Direction::Tx, 0x7F)),
            Record::seen(LineEvent {
                at: at(0.04),
                direction: Direction::Rx,
                seen: Seen::Break,
                fault: Some(Fault::Break)
            }),
            Record::set(at(0.05), settings),
            Record::lines(at(0.06), ControlLines { dtr: Some(true), rts: None }),
        ]
    );
}

#[test]
fn several_bytes_on_a_line_are_a_character_time_apart() {
    let (records, _) = read(r#"{"at":1.0,"dir":"rx","hex":"100516"}"#);
    let apart = Settings::new(Baud::nearest(9600.0), Format::E8).character_time();
    assert_eq!(records.len(), 3);
    assert_eq!(records[2].at, Instant::from_secs(1.0));
    assert_eq!(records[2].at - records[1].at, apart);
}

#[test]
fn a_truncated_line_is_named_and_everything_before_it_is_kept() {
    let (records, mistake) = read("{\"at\":1,\"dir\":\"rx\",\"hex\":\"10\"}\n{\"at\":2,\"dir\":\"r");
    assert_eq!(records.len(), 1);
    assert_eq!(
        mistake.as_deref(),
        Some("line 3: the line is cut short; the recording was probably interrupted here")
    );
}

#[test]
fn every_mistake_says_what_was_expected() {
    let cases = [
        (r#"{"at":1,"dir":"rx","hxe":"10"}"#, "unknown field `hxe`"),
        (r#"{"at":-1,"dir":"rx","hex":"10"}"#, "seconds from 0 on"),
        (r#"{"at":1,"hex":"10"}"#, "\"rx\" or \"tx\""),
        (r#"{"at":1,"dir":"rx","hex":"1"}"#, "two digits for each"),
        (r#"{"at":1,"dir":"rx","hex":"1g"}"#, "two digits for each"),
        (r#"{"at":1,"dir":"rx","hex":"\u00e9"}"#, ""),
        (r#"{"at":1,"dir":"rx","hex":"1010","fault":"parity"}"#, "on a line of its own"),
        (r#"{"at":1,"dir":"rx"}"#, "nothing happens"),
        (r#"{"at":1,"set":{"baud":1},"lines":{}}"#, "on a line of its own"),
        (r#"{"at":1,"set":{"baud":0}}"#, "not a baud rate"),
        (r#"{"at":1,"set":{"format":"8X1"}}"#, "not a format"),
        (r#"{"dir":"rx","hex":"10"}"#, "missing field `at`"),
        (r#"{"at":1,"dir":"up","hex":"10"}"#, "expected `rx` or `tx`"),
    ];
    for (line, expected) in cases {
        let (records, mistake) = read(line);
        let mistake = mistake.unwrap_or_else(|| panic!("{line} was read as {records:?}"));
        assert!(mistake.starts_with("line 2: ") && mistake.contains(expected), "{line}: {mistake}");
    }
}

#[test]
fn what_is_no_capture_is_refused_at_its_first_line() {
    assert!(refused("").contains("the capture is empty"));
    assert!(refused("hello").contains("no event-line capture"));
    assert!(refused(&HEADER.replace("events", "trace")).contains("`trace`"));
    assert!(refused(&HEADER.replace(":1,", ":2,")).contains("version 2"));
    assert!(refused(&HEADER.replace("per-byte", "often")).contains("per-byte, packet, counter or none"));
    assert!(refused(&HEADER.replace("uncertainty", "uncertain")).contains("unknown field `uncertain`"));
}

#[test]
fn a_line_without_end_is_refused_in_bounded_memory() {
    let endless = io::repeat(b'7');
    let text = HEADER.as_bytes().chain(&b"\n"[..]).chain(endless);
    let mut reader = Reader::new(io::BufReader::new(text)).expect("the header is good");
    assert!(reader.next().is_some_and(|r| r.is_err_and(|e| e.to_string().contains("longer than"))));
    assert!(reader.next().is_none());
}

fn records() -> impl Strategy<Value = Vec<Record>> {
    let fault = prop_oneof![
        Just(None),
        Just(Some(Fault::Framing)),
        Just(Some(Fault::Parity)),
        Just(Some(Fault::FramingOrParity)),
        Just(Some(Fault::Overrun)),
    ];
    let direction = prop_oneof![Just(Direction::Rx), Just(Direction::Tx)];
    let nanos = 0_u64..1 << 51;
    let seen = (nanos, direction, any::<u8>(), fault, 0..8);
    let event = seen.prop_map(|(nanos, direction, byte, fault, kind)| {
        let at = Instant::from_nanos(nanos);
        match kind {
            0 => Record::seen(LineEvent { at, direction, seen: Seen::Break, fault: Some(Fault::Break) }),
            1 => Record::seen(LineEvent { at, direction, seen: Seen::Marker, fault: None }),
            2 => Record::set(
                at,
                Settings {
                    inverted: byte & 1 == 1,
                    msb_first: byte & 2 == 2,
                    ..Settings::new(Baud::nearest(f64::from(byte) * 1000.0 + 1.0), Format::E7)
                },
            ),
            3 => Record::lines(at, ControlLines { dtr: Some(byte & 1 == 1), rts: None }),
            _ => Record::seen(LineEvent { at, direction, seen: Seen::Byte(byte), fault }),
        }
    });
    proptest::collection::vec(event, 0..50)
}

proptest! {
    #[test]
    fn what_was_written_is_read_back(records in records(), inverted: bool) {
        let settings = Settings { inverted, ..Settings::new(Baud::nearest(57_600.0), Format::N8_2) };
        let header = Header { settings, line_errors: LineErrors::Packet, uncertainty: span_from_secs(0.016) };
        let mut writer = Writer::new(Vec::new(), &header).unwrap();
        for record in &records {
            writer.write(record).unwrap();
        }
        let text = writer.into_inner();
        let reader = Reader::new(&text[..]).unwrap();
        prop_assert_eq!(reader.header(), &header);
        let back: Vec<Record> = reader.map(|record| record.unwrap()).collect();
        prop_assert_eq!(back, records);
    }

    #[test]
    fn no_text_brings_the_reader_down(lines in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut text = HEADER.as_bytes().to_vec();
        text.push(b'\n');
        text.extend(&lines);
        let _ = Reader::new(&text[..]).unwrap().count();
        let _ = Reader::new(&lines[..]).map(Iterator::count);
    }
}
