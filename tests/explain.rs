//! What the shipped tables and the physics say of a byte, a word, a number, or a line that another tool printed.

use hsdiag::diagnose::explain::{Explanation, Kind, Question, Section, explain, index_is_in_step};
use hsdiag::line::{Baud, Format, Settings};
use hsdiag::protocol::{Registry, TableSource};
use hsdiag::report::{Explained, Page, Report};

fn explained(question: &str) -> Explanation {
    explain(&Question::new(question), &Registry::shipped(), None, None)
}

fn text(explanation: Explanation) -> String {
    let mut page = Page::new(100);
    Explained::new(explanation).text(&mut page);
    anstream::adapter::strip_str(&page.into_text()).to_string()
}

fn says(question: &str, words: &[&str]) {
    let told = text(explained(question));
    for word in words {
        assert!(told.contains(word), "{question} does not tell of {word}:\n{told}");
    }
}

#[test]
fn a_start_byte_is_told_with_its_protocols_and_with_what_noise_would_need() {
    says(
        "0x68",
        &["mbus", "dlt645", "iso7816", "ASCII `h`", "one noise pulse cannot make 68", "3 separate pulses"],
    );
}

#[test]
fn codes_status_words_and_errors_have_their_names() {
    says("0x80100068", &["SCARD_W_RESET_CARD", "SCardReconnect"]);
    says("0xFFFFFFFF80100068", &["SCARD_W_RESET_CARD"]);
    says("6881", &["logical channel", "1AE1"]);
    says("6D00", &["instruction (INS) not supported", "6D ASCII `m`"]);
    says("63C2", &["tries are left"]);
    says("104", &["ECONNRESET", "the byte 68"]);
    says("-0x6800", &["MBEDTLS_ERR_SSL_TIMEOUT"]);
    says("econnreset", &["0x68", "connection reset"]);
    says("01 68", &["framing error", "ftdi_status"]);
    says("15 03 03 00 02 02 28", &["handshake failure"]);
}

#[test]
fn of_an_answer_to_reset_only_the_characters_are_told_that_are_there() {
    // T0 = 68: TB1 and TC1 follow, and eight historical characters.
    let told = text(explained("3B6800000073C84000009000"));
    for word in ["iso7816-t0", "tb1 00", "tc1 00", "history 00 73 C8 40 00 00 90 00"] {
        assert!(told.contains(word), "no word of {word}:\n{told}");
    }
    for word in ["ta1", "td1", "ta2", "tck"] {
        assert!(!told.contains(word), "{word} is not there:\n{told}");
    }
}

/// What is told of a frame of which nothing but the checksum is wrong: the table, the frame, what the checksum should be.
#[test]
fn a_frame_with_a_wrong_checksum_is_told_with_the_right_one() {
    let wrong = [
        (
            "3B 9F 95 81 31 FE 9F 00 66 46 53 05 10 00 11 71 DF 00 00 00 00 00 08",
            ["iso7816-t0", "atr", "`tck` 02, is 08"],
        ),
        ("01 03 00 00 00 02 C4 0C", ["modbus-rtu", "read_holding_registers", "0xBC4, is 0xCC4"]),
        ("68 0B 0B 68 28 01 0B 01 01 01 01 40 08 09 00 88 16", ["iec103", "report", "89, is 88"]),
        ("68 0B 0B 68 28 01 0B 01 01 01 01 40 08 09 00 88 16", ["mbus", "plain", "89, is 88"]),
        ("B5 62 06 01 08 00 F0 05 00 00 00 00 00 00 04 47", ["ubx", "config", "04 46, is 04 47"]),
    ];
    let flat = |question: &str| text(explained(question)).split_whitespace().collect::<Vec<&str>>().join(" ");
    for (question, words) in wrong {
        let told = flat(question);
        assert!(told.contains("whose checksum does not hold"), "{told}");
        for word in words {
            assert!(told.contains(word), "{question}: no word of {word}: {told}");
        }
    }
    // Where the checksum is right, and where something else is wrong as well, there is nothing to say of it.
    for question in [
        "01 03 00 00 00 02 C4 0B",
        "68 0B 0C 68 28 01 0B 01 01 01 01 40 08 09 00 88 16",
        "24 47 50 47 4C 4C 2C 31",
    ] {
        assert!(!flat(question).contains("does not hold"), "{question}");
    }
}

#[test]
fn an_acknowledgement_is_told_with_its_frame_its_states_and_its_sender() {
    says("0x79", &["stm32  the frame ack (from the device, in fresh, ready"]);
}

#[test]
fn a_byte_that_one_pulse_can_make_is_said_to_be_one() {
    says("0xFC", &["one pulse of space makes FC"]);
}

#[test]
fn what_turns_one_byte_into_another_is_computed() {
    let settings = Settings::new(Baud::new(115_200).unwrap(), Format::N8);
    let asked = |what: &str, expected| {
        text(explain(&Question::new(what), &Registry::shipped(), Some(expected), Some(settings)))
    };
    assert!(asked("0x68", 0x79).contains("2 bits flipped (11)"));
    assert!(asked("0x16", 0x68).contains("bit order: the highest bit is sent first"));
    let half = asked("0xFB", 0x16);
    assert!(half.contains("rate: the sender is at") && half.contains("230400"), "{half}");
    assert!(asked("0x09", 0x68).contains("polarity: mark and space are exchanged, with a framing error"));
}

#[test]
fn lines_of_other_tools_are_recognised_and_their_byte_is_explained() {
    says(
        "avrdude: stk500_recv(): not in sync: resp=0x68",
        &["avrdude", "the application still runs", "the byte 68", "What turns 14 into 68"],
    );
    says("not in sync: resp=0x15", &["NOSYNC", "the byte 15"]);
    says("Got NACK from device on command 0x43", &["ERASE", "readout protection"]);
    says(
        "Invalid head of packet (0x68): Possible serial noise or corruption.",
        &["esptool", "What turns C0 into 68"],
    );
    says("Error: NMP timeout", &["mcumgr", "no answer"]);
    says(
        "SerialException: device reports readiness to read but returned no data (device disconnected or multiple access on port?)",
        &["pyserial", "two programs read the same port"],
    );
    says("Wrong return slave address: 1 instead of 2.", &["minimalmodbus", "another slave's answer"]);
}

#[test]
fn a_pasted_line_is_shown_as_it_was_pasted_whichever_tool_printed_it() {
    let registry = Registry::shipped();
    let tables = registry.all().0;
    let messages: Vec<&str> =
        tables.iter().flat_map(|table| &table.messages).map(|message| &*message.text).collect();
    assert!(messages.len() > 40, "{}", messages.len());
    for pattern in messages {
        let holes = pattern.match_indices('{').count();
        let pasted = pattern.split(['{', '}']).enumerate();
        let pasted: String = pasted.map(|(place, part)| if place % 2 == 1 { "4a" } else { part }).collect();
        let told = text(explained(&format!("prog: ERROR {pasted}")));
        let line = told.lines().find(|line| line.to_lowercase().contains(&pasted.to_lowercase()));
        assert!(line.is_some(), "{pasted} ({holes} holes):\n{told}");
        let pattern = pattern.contains('{').then_some(pattern);
        assert!(pattern.is_none_or(|pattern| !told.contains(pattern)), "{told}");
    }
}

/// The question that most come with: no tool is known to print it.
#[test]
fn the_bytes_that_a_strange_sentence_names_are_explained() {
    says(
        "handshaking error: unexpected response 0x68",
        &["the byte 68", "mbus", "stc-isp", "one noise pulse cannot make 68"],
    );
    says("expected 0x79, got 0x68", &["the byte 68", "What turns 79 into 68 at 9600 8N1"]);
    says("SCardTransmit failed: 0x80100068", &["SCARD_W_RESET_CARD"]);
    let strange = explained("expected 0x79, got 0x68");
    assert_eq!(strange.parts.len(), 1, "the byte that did not come is not told of");
    assert!(text(explained("no tool prints this")).contains("hsdiag sweep PORT"));
}

#[test]
fn what_nobody_knows_is_said_to_be_unknown() {
    assert!(!explained("no tool has ever printed these words").says_something());
    assert!(explained("").parts.is_empty());
}

#[test]
fn hostile_questions_end_and_print_no_control_characters() {
    let long = "68 ".repeat(100_000);
    for question in [
        long.as_str(),
        "\u{1b}[31m",
        "'\u{7}\u{1b}]0;x\u{7}'",
        "0x",
        "{byte}",
        "resp=0x",
        "\\x",
        "0b",
        "-",
        "\u{202e}abc",
    ] {
        let told = text(explained(question));
        assert!(!told.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{told:?}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 48, ..Default::default() })]

    #[test]
    fn bytes_of_any_kind_behind_any_start_are_explained(
        start in proptest::sample::select(vec![0x01u8, 0x10, 0x24, 0x3B, 0x55, 0x68, 0x7E, 0xAA, 0xB5, 0xC0, 0xFE]),
        rest in proptest::collection::vec(proptest::num::u8::ANY, 4..48),
    ) {
        let hex: Vec<String> = [start].iter().chain(&rest).map(|byte| format!("{byte:02X}")).collect();
        for part in explained(&hex.join(" ")).parts {
            for section in &part.sections {
                let Section::Tables { entries } = section else { continue };
                proptest::prop_assert!(entries.iter().all(|entry| entry.bits.is_finite() && entry.bits >= 0.0));
                let wrong = |kind: &Kind| matches!(kind, Kind::Frame { wrong: Some(_), .. });
                proptest::prop_assert!(entries.iter().all(|entry| !wrong(&entry.kind) || entry.bits >= 7.0));
            }
        }
    }
}

/// A registry of one table, so that the whole page can be compared whatever the shipped tables say.
#[test]
fn the_whole_page_of_a_small_table() {
    let table = "name = \"meter\"\ntitle = \"a meter\"\n[line]\nformat = \"8E1\"\nbaud = [2400]\n\
        [frames]\nask = \"10 kind:u8 16\"\nlong = \"68 n:u8=size(data) =n 68 data:bytes 16\"\nbusy = \"15\"\n\
        [exchanges]\nask = { with = [\"kind\"], talk = \"> ask(kind) < long(data)\" }\n\
        [states]\nready = { may = [\"ask\"] }\n[refusals]\nframes = [\"busy\"]\n[device.knows]\ndata = [1]\n\
        [values.kind]\nfetch = { value = 0x68, as = \"fetches the data\", remedy = \"ask later\" }\n";
    let only = Registry::shipped().with([TableSource::new("meter.toml", table.into())]);
    let names: Vec<String> =
        only.names().filter(|name| &***name != "meter").map(|name| name.to_string()).collect();
    let empty = names.iter().map(|name| TableSource::new("empty.toml", format!("name = \"{name}\"\n")));
    let only = only.with(empty.collect::<Vec<_>>());
    insta::assert_snapshot!("start_byte", text(explain(&Question::new("0x68"), &only, None, None)));
    insta::assert_snapshot!("refusal", text(explain(&Question::new("15"), &only, None, None)));
    insta::assert_snapshot!("frame", text(explain(&Question::new("68 01 01 68 AA 16"), &only, None, None)));
    let json =
        serde_json::to_string_pretty(&Explained::new(explain(&Question::new("15"), &only, None, None)))
            .unwrap();
    insta::assert_snapshot!("json", json);
}

/// `UPDATE_INDEX=1 cargo test --test explain` makes it anew.
#[test]
fn the_index_of_single_bytes_says_what_the_shipped_tables_say() {
    if std::env::var_os("UPDATE_INDEX").is_some() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/diagnose/explain/index.bin");
        std::fs::write(file, hsdiag::diagnose::explain::index(&Registry::shipped())).expect("writable");
        return;
    }
    assert!(
        index_is_in_step(&Registry::shipped()),
        "a table has changed: UPDATE_INDEX=1 cargo test --test explain makes the index anew"
    );
}
