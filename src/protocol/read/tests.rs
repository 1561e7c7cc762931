use proptest::prelude::*;

use super::super::registry::Registry;
use super::super::talk::StepKind;
use super::*;
use crate::frame::{ExprKind, Value};

const HEAD: &str = "name = \"own\"\n[line]\nformat = \"8E1\"\nbaud = 9600\n";

fn read(rest: &str) -> Table {
    match Table::read("own.toml", &format!("{HEAD}{rest}")) {
        Ok((table, _)) => table,
        Err(mistakes) => panic!("{mistakes}"),
    }
}

#[test]
fn what_a_table_does_not_say_has_its_usual_value() {
    let table =
        read("[frames]\nask = \"05\"\n[exchanges]\nask = \"> ask\"\n[states]\nready = { may = [\"ask\"] }\n");
    assert_eq!(table.title, "own");
    assert_eq!(table.line.reply.to, Time::secs(1.0));
    assert!(!table.line.echo && table.poll.is_none() && table.parameters.is_empty());
}

#[test]
fn the_name_of_a_number_becomes_the_number_in_a_talk_a_layout_and_a_set() {
    let table = read(
        r#"
[values.code]
get  = 0x00
read = { value = 0x11, as = "read memory" }
[frames]
ack     = "79"
command = "code:u8 ~code"
reader  = { like = "command", code = "read" }
either  = { like = "command", code = ["get", "read"] }
[exchanges]
command = { with = ["code"], talk = "> command(code) < ack" }
get     = "command(get) > command(code = read) < ack > reader < ack > either"
[states]
ready = { may = ["get"] }
"#,
    );
    let steps: Vec<&StepKind> = table.exchanges[1].talk.steps.iter().map(|step| &step.kind).collect();
    let [StepKind::Call { arguments, .. }, StepKind::Message(message), ..] = steps[..] else {
        panic!("{steps:?}")
    };
    assert_eq!(arguments[0].value.kind, ExprKind::Number(0x00));
    assert_eq!(message.binds[0].value.kind, ExprKind::Number(0x11));
    let send = |name: &str| {
        let (_, frame) = table.frame_named(name).expect("a frame");
        frame.encode(&[], &crate::frame::Nothing)
    };
    assert_eq!(send("reader"), Ok(vec![0x11, 0xEE]));
    assert_eq!(send("either"), Ok(vec![0x00, 0xFF]));
}

#[test]
fn parameters_regions_and_chips_are_read() {
    let table = read(
        r#"
[parameters]
size = { value = 1, one_of = [0, 1, 2], about = "bytes of the address" }
key  = [0x01, 0x02]
[device.knows]
id = 1
text = "hello"
[device.memory]
flash = { base = 0x100, size = 0x300, sectors = ["2 x 0x80", "1 x 0x200"], programs = "clears", content = "ab" }
[chips]
by = "id"
"1E 95" = { title = "one", memory.flash = { size = 16 } }
0x0410 = { title = "two", parameters = { size = 2 } }
"#,
    );
    assert_eq!(table.parameters[0].one_of, [1, 0, 2].map(Value::Int));
    assert_eq!(table.parameters[1].value, Value::bytes(vec![1, 2]));
    assert_eq!(table.device.knows[1].1, Value::bytes("hello"));
    let flash = &table.device.memory[0];
    assert_eq!(flash.unit(1), Some((0x180, 0x80)));
    assert_eq!((flash.unit(2), flash.unit(3)), (Some((0x200, 0x200)), None));
    assert!(flash.clears && flash.content.at == 0x100);
    assert_eq!(table.chips[0].value, Value::bytes(vec![0x1E, 0x95]));
    assert_eq!(table.chips[1].value, Value::Int(0x410));
}

#[test]
fn a_table_of_meanings_alone_needs_no_line() {
    let text = "name = \"codes\"\n[values.sw]\nok = { value = 0x9000, as = \"done\" }\n[[meaning]]\ntext = \"hi\"\nas = \"a greeting\"\n";
    let (table, warnings) = Table::read("codes.toml", text).expect("a dictionary");
    assert_eq!((table.meanings.len(), table.values.len(), warnings.len()), (1, 1, 0));
}

#[test]
fn a_mistake_is_drawn_with_its_line_and_a_caret() {
    let text = format!("{HEAD}[frames]\nack = \"E5 code:u9\"\n");
    let mistakes = Table::read("own.toml", &text).expect_err("a wrong type");
    assert_eq!(
        mistakes.render(false),
        r#"  × own.toml:6:16: no type is called `u9`
   ╭─[own.toml:6:16]
 5 │ [frames]
 6 │ ack = "E5 code:u9"
   ·                ──
   ╰────
  help: did you mean `u8`?
"#
    );
    assert!(mistakes.render(true).contains("\u{1b}["));
}

#[test]
fn every_shipped_table_is_read_without_a_mistake() {
    let (tables, mistakes) = Registry::shipped().all();
    let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
    assert!(!tables.is_empty());
}

#[test]
fn a_file_made_to_be_slow_is_answered_all_the_same() {
    let many =
        |line: &str, count: usize| (0..count).map(|n| line.replace('N', &n.to_string())).collect::<String>();
    let slow = [
        "[".repeat(200_000),
        "a = {".repeat(40_000),
        "=\n".repeat(100_000),
        format!("{HEAD}[exchanges]\n{}", many("eN = \"foN(1)\"\n", 15_000)),
        format!("{HEAD}[frames]\nfN = \"a:u8\"\n{}", many("fN = { like = \"fN1\" }\n", 8_000)),
        format!("{HEAD}[frames]\na = \"{}\"\n", "( x:u8 ".repeat(30_000)),
        format!("{HEAD}[exchanges]\na = \"{}\"\n", "( ".repeat(100_000)),
        format!("{HEAD}[exchanges]\na = \"[{}1] > b\"\n", "(".repeat(100_000)),
    ];
    for text in slow {
        let mistakes = Table::read("slow.toml", &text).expect_err("mistakes");
        assert!(mistakes.iter().count() <= 100);
    }
    assert!(Table::read("long.toml", &"#".repeat(LONGEST_FILE + 1)).is_err());
}

/// A shipped table with a few pieces cut out, doubled, or replaced by pieces of others.
fn mutated() -> impl Strategy<Value = String> {
    let names: Vec<String> = Registry::shipped().names().map(ToString::to_string).collect();
    let cut = (any::<prop::sample::Index>(), 0_usize..40, any::<prop::sample::Index>(), 0_usize..40);
    (prop::sample::select(names), prop::collection::vec(cut, 1..4)).prop_map(|(name, cuts)| {
        let registry = Registry::shipped();
        let mut text = registry.source(&name).map(|source| source.text().to_string()).unwrap_or_default();
        for (at, length, from, taken) in cuts {
            let characters: Vec<char> = text.chars().collect();
            let at = at.index(characters.len().max(1)).min(characters.len());
            let end = (at + length).min(characters.len());
            let from = from.index(characters.len().max(1)).min(characters.len());
            let piece = &characters[from..(from + taken).min(characters.len())];
            text = characters[..at].iter().chain(piece).chain(&characters[end..]).collect();
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_damaged_table_is_told_or_read_and_never_a_panic(text in mutated()) {
        if let Err(mistakes) = Table::read("damaged.toml", &text) {
            prop_assert!(mistakes.iter().next().is_some());
            prop_assert!(mistakes.iter().all(|mistake| mistake.range.end <= text.len()));
            prop_assert!(!mistakes.render(false).is_empty());
        }
    }

    #[test]
    fn any_text_is_told_or_read_and_never_a_panic(text in "\\PC{0,200}") {
        let _ = Table::read("any.toml", &text);
        let talk = format!("name = 'x'\n[exchanges]\na = '''{}'''\n", text.replace("'''", ""));
        let _ = Table::read("any.toml", &talk);
    }
}
