use super::*;
use crate::frame::BinaryOp;
use crate::protocol::EffectKind;

fn steps(text: &str) -> Vec<StepKind> {
    let talk = Talk::parse(text).unwrap_or_else(|mistakes| panic!("{text}: {mistakes:?}"));
    talk.steps.into_iter().map(|step| step.kind).collect()
}

/// Where each mistake is, and what it says.
fn mistakes(text: &str) -> Vec<(u32, String)> {
    let list = Talk::parse(text).expect_err(text);
    list.into_iter().map(|mistake| (mistake.at.from, mistake.says)).collect()
}

/// A talk in one line of letters, to see its shape.
fn shape(text: &str) -> String {
    fn of(talk: &[StepKind]) -> String {
        let kinds = |talk: &Talk| of(&talk.steps.iter().map(|step| step.kind.clone()).collect::<Vec<_>>());
        let one = |step: &StepKind| match step {
            StepKind::Message(message) if message.direction == Direction::Tx => format!(">{}", message.frame),
            StepKind::Message(message) => format!("<{}", message.frame),
            StepKind::Call { exchange, arguments } => format!("{exchange}/{}", arguments.len()),
            StepKind::Guard(_) => "[]".into(),
            StepKind::Choice(talks) => format!("({})", talks.iter().map(kinds).collect::<Vec<_>>().join("|")),
            StepKind::Times { body, least, most } => format!("({}){least}..{most}", kinds(body)),
            StepKind::Each(each) => format!("({})*{}", kinds(&each.body), each.data),
            StepKind::Inside(effects) => format!("{{{}}}", effects.len()),
            StepKind::Goto(state) => format!("->{state}"),
            StepKind::Phase(phase) => format!("@{phase}"),
            StepKind::Again => "again".into(),
        };
        talk.iter().map(one).collect::<Vec<_>>().join(" ")
    }
    of(&steps(text))
}

#[test]
fn steps_are_read_in_their_order() {
    assert_eq!(
        shape(
            "@wake > sync(address) [x > 1 && y < 2] { erase_all; write(a, d) n = 1 } < ack -> ready again get(1, n = 2)"
        ),
        "@wake >sync [] {3} <ack ->ready again get/2"
    );
}

#[test]
fn a_comparison_in_brackets_is_no_arrow_and_an_arrow_ends_an_effect() {
    assert_eq!(shape("{ data = memory(a, n) } < contents"), "{1} <contents");
    let [StepKind::Guard(guard)] = &steps("[a < b]")[..] else { panic!("no guard") };
    assert!(matches!(guard.kind, ExprKind::Binary(BinaryOp::Less, ..)));
}

#[test]
fn groups_are_choices_repeats_or_both() {
    assert_eq!(shape("( < ack | < nak again )"), "(<ack|<nak again)");
    assert_eq!(shape("( < a ) 1..8 times ( < b ) 3 times ( < c )"), "(<a)1..8 (<b)3..3 (<c)1..1");
    assert_eq!(shape("( < a | < b ) 2 times"), "((<a|<b))2..2");
    assert_eq!(shape("( > a | )"), "(>a|)");
    assert_eq!(
        shape(
            "( ( > line ) each piece of batch[min(900, batch.left)] by 45 > total ) each batch of data by 900"
        ),
        "((>line)*batch >total)*data"
    );
}

#[test]
fn an_each_takes_its_options_in_any_order() {
    let talk = "( > a ) each block of image[n.size * 2] by (x ? 1 : 2) align 4 pad 0xFF next progress.off";
    let [StepKind::Each(each)] = &steps(talk)[..] else { panic!("no each") };
    assert_eq!((&*each.piece, &*each.data, each.pad, each.align), ("block", "image", Some(0xFF), Some(4)));
    assert!(each.total.is_some() && each.next.is_some());
}

#[test]
fn times_stand_behind_a_frame() {
    let [StepKind::Message(message), _] =
        &steps("< poll(n) every 3 s within max(38.5 bits, 1.75 ms) + 1 ms < ack")[..]
    else {
        panic!("no message")
    };
    assert_eq!(message.every, Some(Time::secs(3.0)));
    assert_eq!(
        message.within.as_ref().map(ToString::to_string).as_deref(),
        Some("max(38.5 bits + 1 ms, 2.75 ms)")
    );
    assert_eq!(message.after, None);
}

#[test]
fn a_bare_name_is_bound_to_itself() {
    let [StepKind::Message(message)] = &steps("> target(address, n = m + 1)")[..] else {
        panic!("no message")
    };
    let [address, n] = &message.binds[..] else { panic!("two binds") };
    assert_eq!(address.value.kind, ExprKind::Path(Path { first: "address".into(), rest: None }));
    assert_eq!((&*n.name, n.at), ("n", At { from: 18, to: 27 }));
}

#[test]
fn arguments_touch_the_name_and_a_group_does_not() {
    assert_eq!(shape("sync (get)"), "sync/0 (get/0)1..1");
    assert_eq!(shape("sync(get)"), "sync/1");
}

#[test]
fn effects_erase_pages_and_regions() {
    let [StepKind::Inside(effects)] =
        &steps("{ erase_all(\"flash\") erase_page(pages, \"ram\"); erase(1, 2) }")[..]
    else {
        panic!("no effects")
    };
    let [all, pages, some] = &effects[..] else { panic!("three effects") };
    assert_eq!(all.kind, EffectKind::EraseAll { region: Some("flash".into()) });
    assert!(matches!(&pages.kind, EffectKind::ErasePages { region, .. } if &**region == "ram"));
    assert!(matches!(some.kind, EffectKind::Erase { .. }));
}

#[test]
fn one_mistake_does_not_hide_the_next() {
    assert_eq!(
        mistakes("> 68 < ack(x = ) { wirte(1) } [a ==] < nak within 1 h ( > a"),
        [
            (2, "expected a frame, found `68`".to_string()),
            (15, "expected a number, a text, a name, a function or `(`, found `)`".into()),
            (19, "a device does not `wirte`; expected `name = …`, `write(address, data)`, `erase(address, n)`, `erase_all`, `erase_page(pages, \"region\")` or `}`".into()),
            (35, "expected a number, a text, a name, a function or `(`, found `]`".into()),
            (52, "expected a unit: `us`, `ms`, `s`, `min` or `bits`, found `h`".into()),
            (59, "the text ends here; expected `)`, which closes the group".into()),
        ]
    );
}

#[test]
fn a_talk_of_nothing_but_mistakes_stops_after_some() {
    assert_eq!(mistakes(&") ".repeat(100_000)).len(), MOST_MISTAKES);
    assert_eq!(mistakes(&"> 1 ".repeat(100_000)).len(), MOST_MISTAKES);
    assert!(!mistakes(&"( ".repeat(100_000)).is_empty());
}

#[test]
fn an_answer_is_a_frame_without_an_arrow() {
    let message = parse_answer("failed(data = \"\", status = 1)").expect("an answer");
    assert_eq!((&*message.frame, message.binds.len()), ("failed", 2));
    assert!(parse_answer("failed < ack").is_err());
    assert!(parse_answer("").is_err());
}
