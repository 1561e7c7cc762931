use super::*;

#[track_caller]
fn layout(text: &str) -> Layout {
    match Layout::parse(text) {
        Ok(layout) => layout,
        Err(mistakes) => panic!("{text}: {mistakes:?}"),
    }
}

/// Each mistake as `from..to: what it says`.
fn mistakes(text: &str) -> Vec<String> {
    let told = Layout::parse(text).expect_err(text);
    told.into_iter().map(|m| format!("{}..{}: {}", m.at.from, m.at.to, m.says)).collect()
}

#[track_caller]
fn helps(text: &str, help: &str) {
    assert_eq!(Layout::parse(text).expect_err(text)[0].help.as_deref(), Some(help), "{text}");
}

#[test]
fn every_layout_of_the_draft_tables_is_read() {
    for text in [
        "00 op:u8 len:u16le=size(data) check:u32le=0 data:bytes",
        "01 op:u8=asked.op len:u16le=size(body) value:u32le body:( data:bytes status:u8 spare:bytes(tail.size) )",
        "erase:u32le count:u32le (encrypted:u32le=0)?extended",
        "FF <:1 p3:1 p2:1 p1:1 t:4> (pps1:u8)?p1 (pps2:u8)?p2 (pps3:u8)?p3 pck:u8=xor8(..)",
        "history:bytes(k) ( tck:u8=xor8(d1..history) )?{t1 | t2 | t3}",
        "<mode:2 n:6> (target:u8 source:u8)?mode data:bytes(n) sum8(..)",
        "7F service:u8=asked.service|0x40 result:bytes",
        r#""W " address:dec " " n:dec "\r\n""#,
        r#"(n+32):u8 data:uu(n) "\r\n""#,
        "68 n:u8=size(res..data) =n 68 <res:1=0 prm:1 fcb:1 fcv:1 function:4> address:u8 data:bytes sum8(res..data) 16",
        "total:u16be=size(head..check) head:( <:3 version:2 op:3> n:u16be=size(body) ) body:cbor{} check:u16be=crc(CRC-16/XMODEM, head..body)",
        "op:u8=0x06 <extended:1=1 (address/2):31>",
        "(n-1):u16be (page:u16be){n} xor8(..)",
        "01 number:u8 ~number data:bytes(128) crc(CRC-16/XMODEM, data) be",
        "FE{0..4} 68 address:bytes(6) 68 code:u8 n:u8=size(data) (data+0x33):( di:u32le rest:bytes )(n) sum8(..) 16",
        r#"name:text 00 size:dec 00*"#,
        r#""$" body:text "*" check:hex(2)=xor8(body)"#,
        "address:ule(link.size) (key^secret):bytes(4) (part:u8 n:u8 data:bytes(n))*",
        "cbor{a:uint}",
    ] {
        if text.starts_with("cbor") {
            assert!(Layout::parse(text).is_err(), "a map needs a name or a colon");
        } else {
            layout(text);
        }
    }
}

#[test]
fn a_value_touches_its_type_and_an_again_does_not() {
    let items = layout("n:u8 =n").items;
    let ItemKind::Again { of, complement: false } = &items[1].kind else { panic!("not an again") };
    assert_eq!(&**of, "n");
    let items = layout("n:u8=m").items;
    assert_eq!(items.len(), 1);
    assert!(matches!(&items[0].kind, ItemKind::Field(Field { allowed: Allowed::Equal(_), .. })));
}

#[test]
fn a_bare_checksum_has_its_natural_width() {
    let items = layout("data:bytes(4) crc(CRC-16/MODBUS, data) le").items;
    let ItemKind::Field(field) = &items[1].kind else { panic!("not a field") };
    assert_eq!(field.kind, FieldType::Natural(Order::Little));
}

#[test]
fn every_mistake_of_a_text_is_told_with_its_place() {
    assert_eq!(
        mistakes("68 n:u9 Q 5 data:bites(n) sum9(a) 16"),
        [
            "5..7: no type is called `u9`",
            "8..9: expected a byte such as 7F, a text in quotes, a field as in `n:u8`, or `(`, found `Q`",
            "10..11: expected an item, found `5`",
            "17..22: no type is called `bites`",
            "26..30: no checksum is called `sum9`",
        ]
    );
}

#[test]
fn the_nearest_spelling_is_offered() {
    helps("n:u9", "did you mean `u8`?");
    helps("n:bites(4)", "did you mean `bytes`?");
    helps("n:u16", "write `u16le` or `u16be`");
    helps("n:u8le", "write `u8`");
    helps("xor9(..)", "did you mean `xor8`?");
    helps("data:bytes(n)^key", "write `(data^key):bytes(n)`");
    helps("(a:u8)", "a part that is always there has a name: `body:( … )`");
    helps("7f", "bytes are pairs of upper-case hex digits that stand alone: 7F 0D 0A");
    helps("n:u8 = 5", "the `=` of a field's value touches its type: `n:u8=5`");
    helps("<a:3>", "add `:5` for bits without a meaning");
    helps("a:( b:u8", "`(` was opened at character 3");
    helps("m:cbor{a:unit}", "did you mean `uint`?");
}

#[test]
fn bounds_are_kept() {
    assert_eq!(mistakes("55{70000}"), ["3..8: 70000 times is too often; at most 65536"]);
    assert_eq!(mistakes("55{4..2}"), ["2..8: at least 4 and at most 2 times is never"]);
    assert_eq!(mistakes("<a:60 b:12>"), ["0..11: 72 bits in one group; at most 64"]);
    assert_eq!(mistakes("<a:70>"), ["3..5: a bit field has 1 to 64 bits, not 70"]);
    assert_eq!(mistakes("(n*0):u8"), ["3..4: times or by 0 loses the value"]);
    assert_eq!(mistakes("\"abc"), ["0..4: this text has no closing `\"`"]);
    assert_eq!(mistakes("a:u8 )"), ["5..6: expected a byte, a text, a field or `(`, found `)`"]);
}

#[test]
fn hostile_texts_end_soon_and_use_little_stack() {
    assert_eq!(mistakes(&"a:(".repeat(50_000))[0], "98..99: more than 32 parts within each other");
    assert!(!mistakes(&"(".repeat(50_000)).is_empty());
    assert!(mistakes(&"Q ".repeat(50_000)).len() <= MOST_MISTAKES);
    assert!(mistakes(&")".repeat(50_000)).len() <= MOST_MISTAKES);
    assert!(!mistakes(&"é".repeat(500)).is_empty());
}

#[test]
fn names_come_in_written_order_from_any_depth() {
    let names = layout("a:u8 <b:1 :7> c:( d:u8 e:cbor{f:uint} )(a) (g:u8){a}").names();
    let names: Vec<&str> = names.iter().map(|name| &**name).collect();
    assert_eq!(names, ["a", "b", "c", "d", "e", "f", "g"]);
}
