//! Frames, exchanges, states and refusals.

use super::{ANY_NUMBER, Kind, Naming, Others, Section, Target, key};

pub(super) static FRAMES: Section = Section {
    path: "frames",
    meaning: "layouts by name",
    keys: &[],
    others: Some(Others {
        called: "the name of a frame",
        naming: Naming::Name,
        kind: Kind::Either(&[Kind::Layout, Kind::Section(&FRAME)]),
        meaning: "its layout, or what it narrows another frame to",
        example: "\"code:u8 ~code\"",
    }),
};

static FRAME: Section = Section {
    path: "frames.NAME",
    meaning: "a frame: a layout, or another frame that is narrowed",
    keys: &[
        key("layout", Kind::Layout, "what stands on the wire", "\"code:u8 ~code\""),
        key(
            "like",
            Kind::Named(Target::Frame),
            "the frame that this one narrows; every further key is a field of it",
            "\"request\"",
        ),
        key("from", Kind::OneOf(&["host", "device"]), "who sends it, where no talk tells", "\"device\""),
        key(
            "envelope",
            Kind::Envelope,
            "how it is wrapped; `none` where the table's does not hold",
            "\"none\"",
        )
        .default("the table's"),
        key("title", Kind::Text, "its name for people", "\"long frame\""),
        key("about", Kind::Text, "what it is for", "\"asks for class 2 data\""),
    ],
    others: Some(Others {
        called: "a field of the frame that `like` names",
        naming: Naming::Name,
        kind: Kind::Either(&[ANY_NUMBER, Kind::Set, Kind::Expression, Kind::Layout]),
        meaning: "a number fixes it, a list is a set of numbers and ranges (its first is sent, and may be an expression), text is an expression for a number and a layout for bytes",
        example: "[0x61, \"0x64..0x6F\"]",
    }),
};

pub(super) static EXCHANGES: Section = Section {
    path: "exchanges",
    meaning: "questions and their answers, by name",
    keys: &[],
    others: Some(Others {
        called: "the name of an exchange",
        naming: Naming::Name,
        kind: Kind::Either(&[Kind::Talk, Kind::Section(&EXCHANGE)]),
        meaning: "what is said, in order",
        example: "\"> sync < ack -> ready\"",
    }),
};

static EXCHANGE: Section = Section {
    path: "exchanges.NAME",
    meaning: "an exchange with arguments, or with what outlives it",
    keys: &[
        key(
            "with",
            Kind::List(&Kind::Name),
            "arguments, filled by the caller; one that the caller does not know is filled on return",
            "[\"address\", \"data\"]",
        ),
        key("keep", Kind::List(&Kind::Name), "names that outlive the exchange", "[\"codes\"]"),
        key("talk", Kind::Talk, "what is said, in order", "\"command(write) > target(address) < ack\"")
            .required(),
        key(
            "unsolicited",
            Kind::Time,
            "the device starts it by itself, this often; where it says `>`, the host answers at once",
            "\"1 s\"",
        ),
        key("about", Kind::Text, "what it is for", "\"reads memory\""),
    ],
    others: None,
};

pub(super) static STATES: Section = Section {
    path: "states",
    meaning: "where the conversation rests; the first one is where it begins",
    keys: &[],
    others: Some(Others {
        called: "the name of a state",
        naming: Naming::Name,
        kind: Kind::Section(&STATE),
        meaning: "what may happen in it",
        example: "{ may = [\"sync\"] }",
    }),
};

static STATE: Section = Section {
    path: "states.NAME",
    meaning: "a state; an empty one says nothing more in this protocol",
    keys: &[
        key(
            "may",
            Kind::List(&Kind::Named(Target::Exchange)),
            "the exchanges that can start here",
            "[\"sync\", \"get\"]",
        )
        .default("none"),
        key("about", Kind::Text, "what holds in it", "\"the application runs\""),
    ],
    others: None,
};

pub(super) static REFUSALS: Section = Section {
    path: "refusals",
    meaning: "what a device may send in place of any reply, and what it sends when",
    keys: &[
        key(
            "frames",
            Kind::List(&Kind::Named(Target::Frame)),
            "frames that may come in place of any reply",
            "[\"nack\"]",
        ),
        key(
            "outside",
            Kind::Answer,
            "sent when an effect lies outside the memory",
            "\"exception(code = 2)\"",
        ),
        key("state", Kind::Answer, "sent for a known frame at the wrong moment", "\"nack\""),
        key("unknown", Kind::Answer, "sent for a healthy frame that the table does not know", "\"nack\""),
        key("damaged", Kind::Answer, "sent for a frame whose checksum is wrong", "\"nack\""),
        key(
            "returns",
            Kind::Truth,
            "after `damaged` the device is back in its state; else it waits for the same frame once more",
            "true",
        )
        .default("false"),
    ],
    others: None,
};
