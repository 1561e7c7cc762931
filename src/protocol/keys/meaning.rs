//! What the examiner and the tests read: meanings, vectors, and how fields are shown.

use super::{ANY_NUMBER, BYTE, Kind, Naming, Others, Section, Target, key, one_or_more};

pub(super) static MEANING: Section = Section {
    path: "[meaning]",
    meaning: "what something says to whoever did not expect it",
    keys: &[
        key("byte", BYTE, "this byte", "0x68"),
        key("bytes", Kind::Either(&[Kind::HexBytes, Kind::List(&BYTE)]), "these bytes", "\"43 43 43\""),
        key("text", Kind::Text, "this text", "\"rst:0x\""),
        key("frame", Kind::Named(Target::Frame), "this frame", "\"nack\""),
        key("field", Kind::Named(Target::Field), "this field, together with `value`", "\"sw1\""),
        key("value", ANY_NUMBER, "the value of `field`", "0x68"),
        key("silence", Kind::Truth, "that nothing comes", "true"),
        key(
            "after",
            one_or_more!(Kind::Named(Target::Exchange)),
            "the exchanges after whose start it means this",
            "[\"read\", \"write\"]",
        )
        .default("always"),
        key("as", Kind::Text, "what it says", "\"readout protection is active\"").required(),
        key("cause", Kind::Text, "why it comes", "\"the chip was locked\""),
        key("remedy", Kind::Text, "what to do", "\"a full erase lifts it\""),
    ],
    others: None,
};

pub(super) static MESSAGE: Section = Section {
    path: "[message]",
    meaning: "a line that another tool prints, and what it means",
    keys: &[
        key("tool", Kind::Text, "who prints it", "\"avrdude\"").required(),
        key(
            "text",
            Kind::Text,
            "what it prints, or a part of it; `{name}` stands for digits, `{byte}` for the byte that came",
            "\"not in sync: resp=0x{byte}\"",
        )
        .required(),
        key("table", Kind::Text, "the protocol it is about", "\"stk500v1\""),
        key("expected", BYTE, "the byte that was due in place of the one that came", "0x14"),
        key("as", Kind::Text, "what it says", "\"this byte came, and not 14\"").required(),
        key("cause", Kind::Text, "why it comes", "\"the application still runs\""),
        key("remedy", Kind::Text, "what to do", "\"press reset by hand\""),
    ],
    others: None,
};

pub(super) static VECTOR: Section = Section {
    path: "[vector]",
    meaning: "a piece of a real conversation that the table must read and write",
    keys: &[
        key("name", Kind::Text, "what happens in it", "\"write of eight bytes\"").required(),
        key("talk", Kind::VectorTalk, "arrows and bytes", "\"> 31 CE < 79\"").required(),
        key(
            "frames",
            Kind::List(&Kind::Named(Target::Frame)),
            "the frames that they are, in order",
            "[\"command\", \"ack\"]",
        ),
        key("fields", Kind::Section(&FIELDS), "values that must come out", "{ address = 1 }"),
        key("set", Kind::Section(&SET), "parameters as they are in it", "{ address_size = 2 }"),
        key("wrong", Kind::Truth, "it must be refused", "true").default("false"),
        key("source", Kind::Text, "where it was found", "\"ST AN3155, page 12\""),
    ],
    others: None,
};

static SET: Section = Section {
    path: "[vector].set",
    meaning: "parameters as they are in a vector",
    keys: &[],
    others: Some(Others {
        called: "a parameter",
        naming: Naming::Name,
        kind: Kind::Value,
        meaning: "its value",
        example: "2",
    }),
};

static FIELDS: Section = Section {
    path: "[vector].fields",
    meaning: "values that must come out of a vector",
    keys: &[],
    others: Some(Others {
        called: "a field",
        naming: Naming::Name,
        kind: Kind::Value,
        meaning: "its value",
        example: "0x31",
    }),
};

pub(super) static SHOW: Section = Section {
    path: "show",
    meaning: "how people write a field",
    keys: &[],
    others: Some(Others {
        called: "a field",
        naming: Naming::Name,
        kind: Kind::OneOf(&["hex", "decimal", "bcd-le", "bcd-be", "text"]),
        meaning: "`bcd-le`: two digits a byte, the last byte first",
        example: "\"bcd-le\"",
    }),
};
