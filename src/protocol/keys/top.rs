//! The file itself, `[line]`, and the names and numbers that frames and talks use.

use super::device::{CHIPS, DEVICE, HANDSHAKE, POLL, PROBE, RESET};
use super::flash::FLASH;
use super::meaning::{MEANING, MESSAGE, SHOW, VECTOR};
use super::talk::{EXCHANGES, FRAMES, REFUSALS, STATES};
use super::{ADDRESS, ANY_NUMBER, Kind, Naming, Others, Section, Target, key, one_or_more};

/// The whole file.
pub static TABLE: Section = Section {
    path: "",
    meaning: "one protocol as a bystander writes it down: its line, its frames, who says what in which state, and what the device does",
    keys: &[
        key("language", Kind::Number { least: 1, most: 65_535 }, "the version of the table language", "1")
            .default("1"),
        key("name", Kind::Text, "what the protocol is called on the command line", "\"stm32\"").required(),
        key("aliases", Kind::List(&Kind::Text), "other names it is found under", "[\"an3155\"]"),
        key("title", Kind::Text, "its name in full", "\"STM32 USART bootloader\"").default("the name"),
        key(
            "about",
            Kind::Text,
            "what it is and where it is met, in a sentence or two",
            "\"In the ROM of every STM32.\"",
        ),
        key("sources", Kind::List(&Kind::Text), "what the table was written from", "[\"ST AN3155\"]"),
        key(
            "envelope",
            Kind::Envelope,
            "how each frame is wrapped on the wire, where the frame does not say it",
            "\"slip\"",
        )
        .default("`none`"),
        key(
            "ignore",
            Kind::List(&Kind::Named(Target::Frame)),
            "frames of the device that may come at any time and mean nothing to the conversation",
            "[\"null\"]",
        ),
        key(
            "line",
            Kind::Section(&LINE),
            "how the conversation begins on the wire",
            "{ format = \"8E1\", baud = [9600] }",
        ),
        key(
            "parameters",
            Kind::Section(&PARAMETERS),
            "names with values that the user may set",
            "{ address = 1 }",
        ),
        key(
            "values",
            Kind::Section(&VALUES),
            "names for numbers, by the field that holds them",
            "{ code = { get = 0, write = 0x31 } }",
        ),
        key(
            "lookup",
            Kind::Section(&LOOKUP),
            "numbers by numbers, for `lookup(NAME, x)`",
            "{ fi = { 1 = 372 } }",
        ),
        key(
            "checksums",
            Kind::Section(&CHECKSUMS),
            "CRCs that the catalogue lacks, for `crc(NAME, …)`",
            "{ own = { width = 16, poly = 0x1021, check = 0x31C3 } }",
        ),
        key("frames", Kind::Section(&FRAMES), "layouts by name", "{ ack = \"79\" }"),
        key(
            "exchanges",
            Kind::Section(&EXCHANGES),
            "questions and their answers, by name",
            "{ sync = \"> sync < ack\" }",
        ),
        key(
            "states",
            Kind::Section(&STATES),
            "where the conversation rests; the first one is where it begins",
            "{ ready = { may = [\"sync\"] } }",
        ),
        key(
            "refusals",
            Kind::Section(&REFUSALS),
            "what a device may send in place of any reply, and what it sends when",
            "{ frames = [\"nack\"], outside = \"nack\" }",
        ),
        key(
            "device",
            Kind::Section(&DEVICE),
            "what only the device knows, has and does",
            "{ damaged = \"leave\" }",
        ),
        key(
            "handshake",
            Kind::Section(&HANDSHAKE),
            "what brings the device to readiness and changes nothing in it",
            "{ run = \"sync get\" }",
        ),
        key(
            "poll",
            Kind::Section(&POLL),
            "what a host of this protocol keeps asking",
            "{ run = \"fetch\", every = \"1 s\" }",
        ),
        key(
            "probe",
            Kind::Section(&PROBE),
            "how to find out whether this device is there",
            "{ run = \"sync\", risk = \"harmless\" }",
        ),
        key(
            "flash",
            Kind::Section(&FLASH),
            "how an image gets into the device",
            "{ base = 0x08000000, begin = \"sync\", write = \"write(image.at, image)\" }",
        ),
        key(
            "reset",
            Kind::Section(&RESET),
            "control lines that bring the device into its bootloader and out of it",
            "{ enter = \"D1|W0.1|D0\" }",
        ),
        key(
            "chips",
            Kind::Section(&CHIPS),
            "what a value that the device tells says of it",
            "{ by = \"pid\", 0x0410 = { title = \"STM32F103\" } }",
        ),
        key(
            "meaning",
            Kind::Sections(&MEANING),
            "what something says to whoever did not expect it",
            "[{ byte = 0x68, as = \"start of a long frame\" }]",
        ),
        key(
            "message",
            Kind::Sections(&MESSAGE),
            "what other tools print when something fails",
            "[{ tool = \"avrdude\", text = \"not in sync: resp=0x{byte}\", as = \"no answer in sync\" }]",
        ),
        key(
            "vector",
            Kind::Sections(&VECTOR),
            "pieces of real conversations that the table must read and write",
            "[{ name = \"sync\", talk = \"> 7F < 79\" }]",
        ),
        key("show", Kind::Section(&SHOW), "how people write a field", "{ address = \"bcd-le\" }"),
    ],
    others: None,
};

static LINE: Section = Section {
    path: "line",
    meaning: "how the conversation begins on the wire; a table within it is a phase, which `@NAME` in a talk changes to",
    keys: &[
        key(
            "format",
            one_or_more!(Kind::Format),
            "data bits, parity and stop bits; of several, the likeliest first",
            "\"8E1\"",
        )
        .required(),
        key("baud", one_or_more!(Kind::Baud), "the rates that are met, likeliest first", "[9600, 19200]")
            .required(),
        key(
            "reply",
            Kind::Either(&[Kind::Time, Kind::Section(&REPLY)]),
            "how long after a question its reply begins",
            "{ from = \"11 bits\", to = \"330 bits + 50 ms\" }",
        )
        .default("1 s"),
        key("gap", Kind::Time, "the silence that ends a frame", "\"max(38.5 bits, 1.75 ms)\""),
        key("echo", Kind::Truth, "everything sent is heard back, as on one wire", "true").default("false"),
        key("skip", Kind::HexBytes, "stray bytes that may stand before any frame", "\"00\"").default("none"),
        key("flow", Kind::Text, "flow control, in words", "\"XON/XOFF\""),
        key("inverted", Kind::Truth, "mark and space are exchanged", "true").default("false"),
        key("msb_first", Kind::Truth, "the most significant data bit is sent first", "true").default("false"),
        key(
            "tcp",
            Kind::List(&Kind::Number { least: 1, most: 65_535 }),
            "TCP ports on which the same bytes are met",
            "[502]",
        ),
    ],
    others: Some(Others {
        called: "the name of a phase",
        naming: Naming::Name,
        kind: Kind::Section(&PHASE),
        meaning: "what `@NAME` changes; what it does not say stays",
        example: "{ baud = \"rate\", settle = \"50 ms\" }",
    }),
};

static REPLY: Section = Section {
    path: "line.reply",
    meaning: "how long after a question its reply begins",
    keys: &[
        key("from", Kind::Time, "at the earliest", "\"11 bits\"").default("0 s"),
        key("to", Kind::Time, "at the latest", "\"330 bits + 50 ms\"").required(),
    ],
    others: None,
};

static PHASE: Section = Section {
    path: "line.PHASE",
    meaning: "what `@PHASE` in a talk changes on the line",
    keys: &[
        key(
            "baud",
            Kind::Either(&[Kind::Baud, Kind::Expression]),
            "the rate, or an expression over what the exchange knows",
            "\"rate\"",
        ),
        key("format", Kind::Format, "data bits, parity and stop bits", "\"8N1\""),
        key("settle", Kind::Time, "the silence before anybody speaks at the new settings", "\"50 ms\""),
        key(
            "script",
            Kind::Script,
            "levels in place of characters: breaks (B) and waits in seconds (W)",
            "\"B1|W0.025|B0|W0.025\"",
        ),
        key(
            "keyed",
            Kind::Truth,
            "characters are keyed by timed breaks where the port cannot go that slow",
            "true",
        )
        .default("false"),
    ],
    others: None,
};

static PARAMETERS: Section = Section {
    path: "parameters",
    meaning: "names with values that the user may set: `--set address=5`",
    keys: &[],
    others: Some(Others {
        called: "the name of a parameter",
        naming: Naming::Name,
        kind: Kind::Either(&[Kind::Value, Kind::Section(&PARAMETER)]),
        meaning: "its value where the user sets none",
        example: "1",
    }),
};

static PARAMETER: Section = Section {
    path: "parameters.NAME",
    meaning: "a parameter with what else is known of it",
    keys: &[
        key("value", Kind::Value, "its value where the user sets none", "1").required(),
        key(
            "one_of",
            Kind::List(&Kind::Value),
            "values that it may have, which an observer tries",
            "[0, 1, 2]",
        ),
        key("about", Kind::Text, "what it is", "\"size of the link address in bytes\""),
    ],
    others: None,
};

static VALUES: Section = Section {
    path: "values",
    meaning: "names for numbers",
    keys: &[],
    others: Some(Others {
        called: "the field that holds the numbers",
        naming: Naming::Name,
        kind: Kind::Section(&VALUES_OF_FIELD),
        meaning: "names for the numbers of this field",
        example: "{ get = 0, write = 0x31 }",
    }),
};

static VALUES_OF_FIELD: Section = Section {
    path: "values.FIELD",
    meaning: "names for the numbers of a field",
    keys: &[],
    others: Some(Others {
        called: "the name of a number",
        naming: Naming::Name,
        kind: Kind::Either(&[ANY_NUMBER, Kind::Section(&VALUE)]),
        meaning: "the number, perhaps with what it says",
        example: "0x31",
    }),
};

static VALUE: Section = Section {
    path: "values.FIELD.NAME",
    meaning: "a number with what it says",
    keys: &[
        key("value", ANY_NUMBER, "the number", "4").required(),
        key("to", ANY_NUMBER, "the last of a row of numbers that say the same", "0x6F"),
        key("as", Kind::Text, "what it says", "\"the address is not in memory\""),
        key("cause", Kind::Text, "why it comes", "\"the image is larger than the memory\""),
        key("remedy", Kind::Text, "what to do", "\"prepare the sector before each erase\""),
    ],
    others: None,
};

static LOOKUP: Section = Section {
    path: "lookup",
    meaning: "numbers by numbers, for `lookup(NAME, x)`",
    keys: &[],
    others: Some(Others {
        called: "the name of a lookup",
        naming: Naming::Name,
        kind: Kind::Section(&LOOKUP_NUMBERS),
        meaning: "numbers by numbers",
        example: "{ 1 = 372, 0x02 = 558 }",
    }),
};

static LOOKUP_NUMBERS: Section = Section {
    path: "lookup.NAME",
    meaning: "numbers by numbers",
    keys: &[],
    others: Some(Others {
        called: "the number that is looked up",
        naming: Naming::Number,
        kind: ANY_NUMBER,
        meaning: "what it gives",
        example: "372",
    }),
};

static CHECKSUMS: Section = Section {
    path: "checksums",
    meaning: "CRCs that the catalogue lacks",
    keys: &[],
    others: Some(Others {
        called: "the name of a CRC",
        naming: Naming::Name,
        kind: Kind::Section(&CHECKSUM),
        meaning: "a CRC, usable as `crc(NAME, …)`",
        example: "{ width = 16, poly = 0x1021, check = 0x31C3 }",
    }),
};

static CHECKSUM: Section = Section {
    path: "checksums.NAME",
    meaning: "a CRC in the terms of the catalogue of reveng",
    keys: &[
        key("width", Kind::Number { least: 1, most: 64 }, "how many bits", "16").required(),
        key("poly", ADDRESS, "the polynomial, without its highest term", "0x1021").required(),
        key("init", ADDRESS, "the register at the start", "0xFFFF").default("0"),
        key("refin", Kind::Truth, "bytes go in with the lowest bit first", "true").default("false"),
        key("refout", Kind::Truth, "the register comes out with the lowest bit first", "true")
            .default("false"),
        key("xorout", ADDRESS, "what the register is combined with at the end", "0xFFFF").default("0"),
        key("check", ADDRESS, "the CRC of the text 123456789; it is tried when the table is read", "0x31C3")
            .required(),
    ],
    others: None,
};
